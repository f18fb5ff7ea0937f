// What is refused when a URL is saved, before any name is looked up.

import t from 'tap'
import { parseNetworks } from '../../../src/platform/outbound/addresses.ts'
import { urlFault } from '../../../src/platform/outbound/check-url.ts'
import { hostileHosts, hostileUrls } from './hostile-hosts.ts'

t.test('URLs of public hosts are fine', async (t) => {
  const good = [
    'https://hooks.example.com/muster?tenant=7#x',
    'http://hooks.example.com',
    'HTTPS://Hooks.Example.com:8443/a%20b',
    'https://xn--bcher-kva.example/',
    'https://1.1.1.1/',
    'https://[2606:4700::1111]:8443/',
    'https://example.com./',
    'https://localhost.example.com/',
    'https://local.example/'
  ]
  for (const url of good) t.equal(urlFault(url, []), null, url)
})

t.test('every hostile spelling is refused', async (t) => {
  const urls = hostileHosts.flatMap((host) => [`http://${host}/`, `https://${host}:8443/x`])
  t.ok(hostileHosts.length > 100)
  for (const url of [...urls, ...hostileUrls.map((url) => url.replace('PORT', '8080'))]) {
    t.type(urlFault(url, []), 'string', JSON.stringify(url))
  }
})

t.test('says what is wrong', async (t) => {
  const faults: [string, RegExp][] = [
    [`https://example.com/${'x'.repeat(2_000)}`, /more than 2000 characters/],
    ['https://example.com/a b', /percent-encoded/],
    ['https://bücher.example/', /xn--/],
    ['ftp://example.com/', /only http and https/],
    ['example.com/hook', /only http and https/],
    ['https://user:secret@example.com/', /user name or password/],
    ['https://example.com:22/', /Port 22 is not for webhooks/],
    ['http://0x7f.1/', /127\.0\.0\.1 is not a public address/],
    ['http://db:8080/', /db is not the name of a public host/]
  ]
  for (const [url, fault] of faults) t.match(urlFault(url, []), fault, url)
  t.notMatch(urlFault('https://user:secret@example.com/', []), /secret/)
})

t.test(
  'with allowed networks, their addresses and names of the own network are fine',
  async (t) => {
    const allowed = parseNetworks(['127.0.0.0/8'])
    for (const host of ['127.0.0.1', '0x7f.1', '[::ffff:127.0.0.1]', 'localhost', 'receiver']) {
      t.equal(urlFault(`http://${host}:8080/`, allowed), null, host)
    }
    for (const host of ['10.0.0.1', '[::1]', '169.254.169.254']) {
      t.match(urlFault(`http://${host}:8080/`, allowed), /is not a public address/, host)
    }
  }
)
