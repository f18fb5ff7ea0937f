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
