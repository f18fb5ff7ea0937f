// A certificate that nobody vouches for, for localhost and 127.0.0.1, and its key: for tests of TLS
// only. Made with: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes
//   -days 36500 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1

export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgSmkbu1KqCk2Ms09w
e/qlVjr9/2+MeuAHafYM58fhRNWhRANCAATNs2kqG1PNzSc2Qbclt4qvF25GOnsT
8B1gbr8ob3k2F/UTUS+0GcDCLx99tBRNtnd3BtfZzOGU5dhhSpI0mZ2X
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUCpXbg3SRYb/TQMxbHq3EE/+UQ1UwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjExMTEwOFoYDzIxMjYxMDI5
MTExMTA4WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATNs2kqG1PNzSc2Qbclt4qvF25GOnsT8B1gbr8ob3k2F/UTUS+0GcDC
Lx99tBRNtnd3BtfZzOGU5dhhSpI0mZ2Xo28wbTAdBgNVHQ4EFgQUXTdS+feabKMc
oi7pJq07bNyS8SAwHwYDVR0jBBgwFoAUXTdS+feabKMcoi7pJq07bNyS8SAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIgXBsz4PbjxqRQ/gkJgStkh/dC8ZmVbcsWyqHBmRhAuiQCIQDr
u3qWZ2vmomMRIZlJW5wCNg5KtdOq0kUPjZ3nfcMuTw==
-----END CERTIFICATE-----
`
}
