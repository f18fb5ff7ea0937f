// API keys: their form, their hash, and what an Authorization header must look like.

import t from 'tap'
import { hashKey, keyOfHeader, newKey } from '../../src/access/keys.ts'

t.test('a key is mk_ and 256 random bits, and no two are the same', async (t) => {
  const keys = new Set(Array.from({ length: 100 }, newKey))
  t.equal(keys.size, 100)
  for (const key of keys) t.match(key, /^mk_[A-Za-z0-9_-]{43}$/)
})

t.test('a hash has 32 bytes and does not show the key', async (t) => {
  const key = newKey()
  t.equal(hashKey(key).length, 32)
  t.ok(hashKey(key).equals(hashKey(key)))
  t.notOk(hashKey(key).equals(hashKey(newKey())))
})

t.test('a key is read from a Bearer header, in any case and spacing', async (t) => {
  const key = newKey()
  for (const header of [`Bearer ${key}`, `bearer ${key}`, `BEARER   ${key} `]) {
    t.equal(keyOfHeader(header), key)
  }
})

t.test('anything else is no key', async (t) => {
  const key = newKey()
  const headers = [
    undefined,
    '',
    key,
    `Basic ${key}`,
    `Bearer ${key} x`,
    `Bearer ${key}x`,
    'Bearer mk_short',
    'Bearer'
  ]
  for (const header of headers) t.equal(keyOfHeader(header), null, String(header))
})
