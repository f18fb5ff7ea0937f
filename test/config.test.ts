// The configuration: what is refused, and that docs/configuration.md says what config.ts does, in
// both directions.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { childEnvironment, readClientConfig, readConfig, secretKeysText } from '../src/config.ts'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/configuration.md'), 'utf8')
const source = readFileSync(join(root, 'src/config.ts'), 'utf8')

/** The rows of the tables: | `name` | default | allowed | meaning |. */
const entries = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => {
    const [, name = '', fallback = '', allowed = '', meaning = ''] = line
      .split('|')
      .map((cell) => cell.trim().replaceAll('`', ''))
    return { name, fallback, allowed, meaning }
  })

/** Those whose value is a whole number of a range. */
const numbers = entries.flatMap(({ name, fallback, allowed }) => {
  const [, min, max] = /^(\d+) to (\d+)$/.exec(allowed) ?? []
  return max === undefined ? [] : [{ name, fallback, min: Number(min), max: Number(max) }]
})

t.test('every variable that is read is documented, and no other', async (t) => {
  const read = new Set(source.match(/\b(MUSTER_[A-Z_]+|DATABASE_URL)\b/g))
  t.same(entries.map(({ name }) => name).sort(), [...read].sort())
  for (const { name, meaning } of entries) t.match(meaning, /\w{3}/, name)
})

t.test('numbers have the default and the range that are documented', async (t) => {
  t.equal(numbers.length, source.match(/ whole\(env, /g)?.length, 'every number has its range')
  for (const { name, fallback, min, max } of numbers) {
    t.same(readConfig({ [name]: fallback }), readConfig({}), `${name} is ${fallback}`)
    t.doesNotThrow(() => readConfig({ [name]: String(min) }), `${name}=${min}`)
    t.doesNotThrow(() => readConfig({ [name]: String(max) }), `${name}=${max}`)
    for (const wrong of [String(min - 1), String(max + 1), '1.5', 'many']) {
      t.throws(() => readConfig({ [name]: wrong }), new RegExp(`${name} is "${wrong}"`))
    }
  }
})

t.test('texts have the default and the values that are documented', async (t) => {
  const fallbackOf = (name: string) => entries.find((one) => one.name === name)?.fallback ?? ''
  const config = readConfig({})
  t.equal(config.host, fallbackOf('MUSTER_HOST'))
  t.equal(config.dataDir, resolve(fallbackOf('MUSTER_DATA_DIR')))
  t.equal(config.logLevel, fallbackOf('MUSTER_LOG_LEVEL'))
  t.equal(readClientConfig({}).url, fallbackOf('MUSTER_URL'))
  const levels = entries.find(({ name }) => name === 'MUSTER_LOG_LEVEL')?.allowed.split(', ') ?? []
  t.equal(levels.length, 7)
  for (const level of levels) t.equal(readConfig({ MUSTER_LOG_LEVEL: level }).logLevel, level)
  t.throws(() => readConfig({ MUSTER_LOG_LEVEL: 'loud' }), /MUSTER_LOG_LEVEL is "loud".*silent/)
})

t.test('an empty value counts as not set', async (t) => {
  for (const { name } of entries) {
    t.same(readConfig({ [name]: '' }), readConfig({}), name)
    t.same(readClientConfig({ [name]: '' }), readClientConfig({}), name)
  }
})

t.test('a child process reads the same configuration', async (t) => {
  const given = Object.fromEntries(numbers.map(({ name, min }) => [name, String(min)]))
  const keys = `b:${base64()},a:${base64()}`
  const config = readConfig({
    ...given,
    MUSTER_DATA_DIR: 'elsewhere',
    MUSTER_LOG_LEVEL: 'warn',
    MUSTER_SECRET_KEYS: keys
  })
  const child = readConfig(childEnvironment(config, 'postgres://db/muster'))
  t.equal(secretKeysText(child.secretKeys ?? []), keys)
  t.same(child, { ...config, databaseUrl: 'postgres://db/muster' })
})

const base64 = () => randomBytes(32).toString('base64')

t.test('keys for secrets are read in their order', async (t) => {
  const [a, b] = [base64(), base64()]
  const { secretKeys } = readConfig({ MUSTER_SECRET_KEYS: ` 2026:${a}, old_1:${b},` })
  t.equal(secretKeysText(secretKeys ?? []), `2026:${a},old_1:${b}`)
  t.notMatch(inspect(secretKeys, { depth: 9 }) + JSON.stringify(secretKeys), a.slice(0, 20))
})

t.test('every mistake in the keys is named, and no key is repeated', async (t) => {
  const [a, b] = [base64(), base64()]
  const wrong = `${a},one:${b.slice(4)},two:${b},two:${a},a b:${a},${b}:two,x:${a}:y`
  try {
    readConfig({ MUSTER_SECRET_KEYS: wrong })
    t.fail('taken')
  } catch (error) {
    const { message } = error as Error
    t.match(message, /^MUSTER_SECRET_KEYS is not usable: entry 1 does not have the form id:base64/)
    t.match(message, /entry 2 is not 32 bytes/)
    t.match(message, /entry 4 has the id of entry 3/)
    for (const number of [5, 6, 7]) t.match(message, new RegExp(`entry ${number} does not have`))
    for (const key of [a, b]) t.notMatch(message, key.slice(8, 20))
  }
  t.throws(() => readConfig({ MUSTER_SECRET_KEYS: ' , ' }), /there is no key/)
})

t.test(
  'the mail server is read from one address, and its password is shown by nothing',
  async (t) => {
    const from = { MUSTER_MAIL_FROM: 'Muster <muster@example.com>' }
    const read = (url: string) => readConfig({ ...from, MUSTER_SMTP_URL: url }).smtp
    const server = { host: 'mail.example.com', port: 587, tls: 'optional', login: null }
    t.same(read('smtp://mail.example.com'), server)
    t.same(read('smtps://mail.example.com'), { ...server, port: 465, tls: 'implicit' })
    t.same(read('smtp://mail.example.com:25?tls=off'), { ...server, port: 25, tls: 'off' })
    t.match(read('smtp://u:p@mail.example.com'), { tls: 'required' }, 'no password in clear')
    t.match(read('smtp://u:p@mail.example.com?tls=optional'), { tls: 'optional' })
    t.match(read('smtp://u:p@127.0.0.1:1025'), { tls: 'optional', port: 1025 })
    t.match(read('smtp://[::1]:25'), { host: '::1' })
    const config = readConfig({
      ...from,
      MUSTER_SMTP_URL: 'smtp://an%40n:won%2Fder%25@mail.example.com'
    })
    t.equal(config.smtp?.login?.user, 'an@n')
    t.equal(config.smtp?.login?.password.export().toString(), 'won/der%')
    t.notMatch(inspect(config, { depth: 9 }) + JSON.stringify(config), /won.der/)
    const child = readConfig(childEnvironment(config, 'postgres://db/muster'))
    t.equal(child.smtp?.login?.password.export().toString(), 'won/der%')
    t.match(child, { smtp: { ...config.smtp, login: { user: 'an@n' } }, mailFrom: config.mailFrom })
  }
)

t.test('a wrong address of the mail server is refused, and nothing of it repeated', async (t) => {
  for (const url of [
    'mail.example.com',
    'http://user:secret@mail.example.com',
    'smtp://',
    'smtp:secret',
    'smtp://user:secret@mail.example.com/path',
    'smtp://user:sec/ret@mail.example.com',
    'smtp://user:sec#ret@mail.example.com',
    'smtp://secret@mail.example.com',
    'smtp://:secret@mail.example.com',
    'smtp://user:secret%zz@mail.example.com',
    'smtp://user:secret@mail.example.com?tls=maybe',
    'smtp://user:secret@mail.example.com?requireTLS=1',
    'smtps://user:secret@mail.example.com?tls=off'
  ]) {
    try {
      readConfig({ MUSTER_SMTP_URL: url, MUSTER_MAIL_FROM: 'a@b.de' })
      t.fail(`taken: ${url}`)
    } catch (error) {
      t.match((error as Error).message, /^MUSTER_SMTP_URL is not usable: /)
      t.notMatch((error as Error).message, /secret|sec.ret|mail\.example\.com/)
    }
  }
  t.throws(() => readConfig({ MUSTER_SMTP_URL: 'smtp://h' }), /needs MUSTER_MAIL_FROM/)
  t.throws(() => readConfig({ MUSTER_MAIL_FROM: 'nobody' }), /MUSTER_MAIL_FROM must be/)
})

t.test('the public address is an address and no more', async (t) => {
  const read = (text: string) => readConfig({ MUSTER_PUBLIC_URL: text }).publicUrl
  t.equal(read('https://muster.example.com/'), 'https://muster.example.com')
  t.equal(read('http://10.0.0.1:8080/imports-service//'), 'http://10.0.0.1:8080/imports-service')
  for (const text of [
    'muster.example.com',
    'ftp://x',
    'https://u:p@x',
    'https://x?a=1',
    'https://x#a'
  ]) {
    t.throws(() => read(text), /MUSTER_PUBLIC_URL must be/)
  }
})
