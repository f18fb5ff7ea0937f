// Secrets: what is sealed opens again with its key and nothing else, and the keys are found or made.

import { createSecretKey, randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  isSealed,
  keyIdOf,
  makeSecrets,
  openSecrets,
  secretKeyFilePath
} from '../../src/platform/secrets.ts'

const keyOf = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) })
const [one, two] = [keyOf('one'), keyOf('two')]

t.test('what is sealed opens again, and shows nothing', async (t) => {
  const secrets = makeSecrets([one])
  for (const plain of ['', 'hunter2', 'ä€😀\n', 'x'.repeat(100_000)]) {
    const token = secrets.seal(plain)
    t.match(token, /^enc:1:one:[\w-]+$/)
    t.ok(isSealed(token))
    t.equal(keyIdOf(token), 'one')
    t.equal(secrets.open(token), plain)
  }
  t.not(secrets.seal('a'), secrets.seal('a'), 'no two tokens are alike')
})

t.test('the first key writes, all of them read', async (t) => {
  const old = makeSecrets([one]).seal('hunter2')
  const both = makeSecrets([two, one])
  t.equal(both.currentKeyId, 'two')
  t.same(both.keyIds, ['two', 'one'])
  t.equal(both.open(old), 'hunter2')
  t.equal(keyIdOf(both.seal('a')), 'two')
  t.throws(() => makeSecrets([two]).open(old), {
    code: 'secret_key_missing',
    status: 503,
    message: /"one"/
  })
})

t.test('another key under the same id opens nothing, and is told apart', async (t) => {
  const right = makeSecrets([one])
  const impostor = makeSecrets([{ ...two, id: 'one' }])
  t.throws(() => impostor.open(right.seal('hunter2')), {
    code: 'secret_unreadable',
    status: 503,
    message: /"one"/
  })
  t.not(impostor.checks.get('one'), right.checks.get('one'))
  t.equal(makeSecrets([two, one]).checks.get('one'), right.checks.get('one'))
})

t.test('a token that was changed does not open', async (t) => {
  const secrets = makeSecrets([one, two])
  const token = secrets.seal('hunter2')
  const body = token.split(':')[3] ?? ''
  const flipped = Buffer.from(body, 'base64url')
  flipped[20] = (flipped[20] ?? 0) ^ 1
  const changed = [
    `enc:1:one:${flipped.toString('base64url')}`,
    `enc:1:two:${body}`,
    `enc:1:one:${body.slice(0, 20)}`,
    'enc:1:one:',
    'enc:2:one:aaaa',
    'hunter2'
  ]
  for (const text of changed) {
    t.throws(() => secrets.open(text), Error, text)
    try {
      secrets.open(text)
    } catch (error) {
      t.notMatch((error as Error).message, body.slice(0, 12), 'says nothing of it')
    }
  }
  t.notOk(isSealed('enc:1:'))
  t.notOk(isSealed(7))
})

t.test('a digest is the same for the same text, and another with another key', async (t) => {
  const secrets = makeSecrets([two, one])
  t.match(secrets.digest('a'), /^[0-9a-f]{32}$/)
  t.equal(secrets.digest('a'), makeSecrets([one]).digest('a'), 'of the oldest key')
  t.not(secrets.digest('a'), secrets.digest('b'))
  t.not(secrets.digest('a'), makeSecrets([two]).digest('a'))
})

t.test('without configured keys a file is made, once for all processes', async (t) => {
  const dataDir = join(t.testdir(), 'data')
  const all = await Promise.all(
    Array.from({ length: 8 }, () => openSecrets({ dataDir, secretKeys: null }))
  )
  t.equal(new Set(all.flatMap(({ keyIds }) => keyIds)).size, 1)
  const token = all[0]?.seal('a') ?? ''
  for (const secrets of all) t.equal(secrets.open(token), 'a')
  t.same(await readdir(dataDir), ['secret-keys'], 'nothing else is left behind')
  t.equal((await stat(secretKeyFilePath(dataDir))).mode & 0o777, 0o600)
  const text = await readFile(secretKeyFilePath(dataDir), 'utf8')
  t.match(text, /^k[0-9a-f]{8}:[A-Za-z0-9+/]{43}=\n$/)
  const later = await openSecrets({ dataDir, secretKeys: null })
  t.equal(later.open(token), 'a')
  t.equal((await openSecrets({ dataDir, secretKeys: [one] })).currentKeyId, 'one')
})

t.test('a key file that makes no sense, or cannot be made, says so', async (t) => {
  const dataDir = t.testdir({ 'secret-keys': 'k1:short\n' })
  await t.rejects(openSecrets({ dataDir, secretKeys: null }), {
    message: /secret-keys is not usable: entry 1 is not 32 bytes/
  })
  const none = join(t.testdir({ file: '' }), 'file')
  await t.rejects(openSecrets({ dataDir: none, secretKeys: null }), { message: /secret-keys/ })
})
