// Which addresses and ports may be reached: both ends of every range, and what IPv6 embeds.

import t from 'tap'
import { isReachable, isWebPort, parseNetworks } from '../../../src/platform/outbound/addresses.ts'

const publicAddresses = [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '168.63.129.15',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '191.255.255.255',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2003::1',
  '2606:4700::1111',
  '2620:4f:8001::1',
  '3ffe:ffff::1',
  '3fff:1000::1',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1'
]

const otherAddresses = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.0',
  '10.255.255.255',
  '100.64.0.0',
  '100.127.255.255',
  '127.0.0.0',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.0.0',
  '169.254.255.255',
  '172.16.0.0',
  '172.31.255.255',
  '192.0.0.0',
  '192.0.0.255',
  '192.0.2.0',
  '192.0.2.255',
  '192.31.196.0',
  '192.52.193.0',
  '192.88.99.0',
  '192.168.0.0',
  '192.168.255.255',
  '192.175.48.0',
  '198.18.0.0',
  '198.19.255.255',
  '198.51.100.0',
  '203.0.113.255',
  '224.0.0.0',
  '239.255.255.255',
  '240.0.0.0',
  '255.255.255.255',
  '::',
  '::1',
  '::1.1.1.1',
  '::ffff:0:1.1.1.1',
  '::ffff:10.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1.1.1.1',
  '100::1',
  '1fff:ffff::1',
  '2001::',
  '2001:1ff:ffff::1',
  '2001:db8::1',
  '2001:db8:ffff::1',
  '2002::1',
  '2002:101:101::1',
  '2620:4f:8000::1',
  '3fff::1',
  '3fff:fff:ffff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fdff::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
  'ffff::1'
]

t.test('public addresses may be reached', async (t) => {
  for (const address of publicAddresses) t.ok(isReachable(address, []), address)
})

t.test('no other may, and nothing that is no address', async (t) => {
  const none = ['', 'localhost', '127.1', '0x7f000001', '2606:4700::1111%eth0', '[::1]', '1.1.1.1.']
  for (const address of [...otherAddresses, ...none]) t.notOk(isReachable(address, []), address)
})

t.test('ranges of the configuration may, in every spelling of their addresses', async (t) => {
  const allowed = parseNetworks(['127.0.0.0/8', 'fd00:1::/32', '10.1.2.3/32'])
  for (const address of ['127.9.9.9', '::ffff:127.0.0.1', 'fd00:1:9::1', '10.1.2.3', '1.1.1.1']) {
    t.ok(isReachable(address, allowed), address)
  }
  for (const address of ['::1', '10.1.2.4', 'fd00:2::1', '128.0.0.1%lo', '192.168.0.1']) {
    t.notOk(isReachable(address, allowed.slice(0, 3)) && address !== '128.0.0.1', address)
  }
})

t.test('what is no range is refused by name', async (t) => {
  const wrong = [
    '127.0.0.1',
    '10/8',
    '0x7f.0.0.0/8',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '/8',
    'a/8'
  ]
  for (const text of wrong) {
    t.throws(
      () => parseNetworks(['10.0.0.0/8', text]),
      { message: `"${text}" is not a range` },
      text
    )
  }
})

t.test('ports are those of the web, and from 1024', async (t) => {
  for (const port of [80, 443, 1024, 8080, 65_535]) t.ok(isWebPort(port), String(port))
  for (const port of [0, 22, 25, 53, 110, 143, 389, 445, 587, 1023]) {
    t.notOk(isWebPort(port), String(port))
  }
})
