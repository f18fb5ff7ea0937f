// A real mail server on loopback for tests: takes, refuses or delays mail by a script, and can go
// away and come back at the same port.

import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'
import type { Teardown } from './cluster.ts'

export interface Received {
  to: string
  from: string
  /** User who logged in; null: nobody did. */
  user: string | null
  /** Whether it came encrypted. */
  isEncrypted: boolean
  /** As it came over the wire. */
  raw: string
}

export interface SmtpScript {
  /** The answer to an address, such as `550 no such user`; null: it is taken. `count`: how often
   *  this address was asked for, from 1. */
  onAddress?: (address: string, count: number) => string | null | Promise<string | null>
  /** The same for a message that was sent whole. */
  onMessage?: (received: Received) => string | null
  /** Before the answer to a message that is taken. */
  delayMs?: number
  login?: { user: string; password: string }
  /** Encrypts, with this certificate: from the first byte, or by STARTTLS. */
  tls?: { from: 'start' | 'starttls'; key: string; cert: string }
}

export interface TestSmtp {
  /** Address for MUSTER_SMTP_URL. */
  url: string
  /** What was taken, in order. */
  received: Received[]
  /** Refuses connections from now on. */
  stop(): Promise<void>
  /** Takes them again, at the same port. */
  start(): Promise<void>
}

/** Starts the server; it ends with the test. */
export async function startSmtp(t: Teardown, script: SmtpScript = {}): Promise<TestSmtp> {
  const received: Received[] = []
  let port = 0
  let server: SMTPServer | null = null

  const stop = () =>
    new Promise<void>((resolve) => {
      if (server) server.close(() => resolve())
      else resolve()
      server = null
    })
  const start = () =>
    new Promise<void>((resolve, reject) => {
      const one = makeServer(script, received)
      // A client that goes away in the middle is no fault of the test.
      one.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') reject(error)
      })
      server = one
      one.listen(port, '127.0.0.1', () => {
        port = (one.server.address() as AddressInfo).port
        resolve()
      })
    })
  await start()
  t.teardown(stop)
  const who = script.login ? `${script.login.user}:${script.login.password}@` : ''
  const scheme = script.tls?.from === 'start' ? 'smtps' : 'smtp'
  return { url: `${scheme}://${who}127.0.0.1:${port}`, received, stop, start }
}

function makeServer(script: SmtpScript, received: Received[]): SMTPServer {
  const asked = new Map<string, number>()
  return new SMTPServer({
    disabledCommands: [
      ...(script.tls?.from === 'starttls' ? [] : ['STARTTLS']),
      ...(script.login ? [] : ['AUTH'])
    ],
    ...(script.tls && { ...script.tls, secure: script.tls.from === 'start' }),
    allowInsecureAuth: true,
    closeTimeout: 100,
    logger: false,
    onAuth({ username, password }, _session, done) {
      const isRight = username === script.login?.user && password === script.login?.password
      if (isRight) done(null, { user: username })
      else done(new Error('wrong login'))
    },
    async onRcptTo({ address }, _session, done) {
      const count = (asked.get(address) ?? 0) + 1
      asked.set(address, count)
      done(refusal((await script.onAddress?.(address, count)) ?? null))
    },
    async onData(stream, { envelope, user, secure }, done) {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk)
      const message: Received = {
        to: envelope.rcptTo.map(({ address }) => address).join(),
        from: envelope.mailFrom ? envelope.mailFrom.address : '',
        user: typeof user === 'string' ? user : null,
        isEncrypted: secure,
        raw: Buffer.concat(chunks).toString('latin1')
      }
      const error = refusal(script.onMessage?.(message) ?? null)
      if (!error) received.push(message)
      await wait(script.delayMs ?? 0)
      done(error)
    }
  })
}

function refusal(answer: string | null): Error | null {
  if (answer === null) return null
  const [, code, text] = /^(\d{3}) (.*)$/s.exec(answer) ?? []
  return Object.assign(new Error(text), { responseCode: Number(code) })
}
