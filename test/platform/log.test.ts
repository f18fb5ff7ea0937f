// What a log line holds of an error: enough to find the fault, nothing of anybody's data.

import { spawnSync } from 'node:child_process'
import t from 'tap'

const log = new URL('../../src/platform/log.ts', import.meta.url).href
const errors = new URL('../../src/errors.ts', import.meta.url).href

/** The line that a process logs about an error, made by a piece of code. */
function lineAbout(makeError: string): { text: string; err: Record<string, string> } {
  const code = `
    import pg from 'pg'
    import { createLog } from '${log}'
    import { appError } from '${errors}'
    createLog('info', 'test').warn({ err: ${makeError} }, 'it failed')`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module-typescript', '--eval', code],
    { encoding: 'utf8', cwd: import.meta.dirname }
  )
  if (stderr) throw new Error(stderr)
  return { text: stdout, err: JSON.parse(stdout).err }
}

const refusal = `Object.assign(new pg.DatabaseError('invalid input: "Ann Lee"', 1, 'error'), {
  code: '22P02', table: 'records', detail: 'Token "Ann Lee" is invalid.',
  where: 'COPY records, line 1: "Ann Lee"' })`
const duplicate = `Object.assign(new pg.DatabaseError('duplicate key value of "records_pkey"', 1, 'error'), {
  code: '23505', constraint: 'records_pkey', detail: 'Key (name)=(Ann Lee) exists.' })`

t.test('values that PostgreSQL quotes are left out, names and codes stay', async (t) => {
  const value = lineAbout(refusal)
  t.notMatch(value.text, 'Ann Lee')
  t.match(value.err, { code: '22P02', table: 'records', message: 'a value was refused' })
  t.match(value.err.stack, /^error: a value was refused\n +at /, 'where it happened stays')
  const key = lineAbout(duplicate)
  t.notMatch(key.text, 'Ann Lee')
  t.match(key.err, { code: '23505', constraint: 'records_pkey' })
  t.match(key.err.message, 'duplicate key value of "records_pkey"')
})

t.test('the same holds for an error that was caused by one of the database', async (t) => {
  const { text, err } = lineAbout(`appError('query_timeout', {}, { cause: ${refusal} })`)
  t.notMatch(text, 'Ann Lee')
  t.match(err, { type: 'AppError', code: 'query_timeout' })
  t.match(err.stack, /caused by: error: a value was refused/)
})

t.test('other errors are logged whole', async (t) => {
  const { err } = lineAbout(
    `Object.assign(new Error('no disk', { cause: new Error('ENOSPC') }), { path: '/data' })`
  )
  t.match(err, { message: 'no disk: ENOSPC', path: '/data' })
})
