// Rotation: everything encrypted ends up under the new key, reads as before, and the old key can go.

import { createSecretKey, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { secretKeysText } from '../../src/config.ts'
import { keepUpload, openUpload, storeUpload, uploadPath } from '../../src/platform/files.ts'
import { keyIdOf, makeSecrets, type Secrets } from '../../src/platform/secrets.ts'
import type { Teardown } from '../helpers/cluster.ts'
import { runProcess } from '../helpers/processes.ts'
import { defineVaults, makeRecord } from '../helpers/vault-type.ts'
import { type Setup, setup } from '../setup.ts'

const keyOf = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) })
const [oldKey, newKey] = [keyOf('old'), keyOf('new')]
const old = makeSecrets([oldKey])

async function setupOld(t: Teardown) {
  const s = await setup(t)
  await defineVaults(s)
  const secrets = (keys: (typeof oldKey)[], ...args: string[]) =>
    runProcess(t, 'src/cli.ts', ['secrets', ...args], {
      DATABASE_URL: s.databaseUrl,
      MUSTER_DATA_DIR: s.config.dataDir,
      MUSTER_SECRET_KEYS: secretKeysText(keys)
    })
  return { ...s, run: secrets }
}

/** Something in every place that secrets are in. */
async function fill(s: Setup, count: number) {
  await s.pool.query('SELECT ensure_partitions(current_date)')
  const ids: number[] = []
  for (let i = 0; i < count; i++) {
    const data = { name: `v${i}`, password: old.seal(`p${i}`), codes: ['a', 'b'].map(old.seal) }
    ids.push(await makeRecord(s, 'vaults', data))
  }
  await s.pool.query(
    `INSERT INTO record_changes (account_id, record_id, version, changed_on, type_id, action, before)
    VALUES ($1, $2, 1, current_date, 1000, 'update', $3)`,
    [s.account_id, ids[0] ?? 1, { password: old.seal('before'), codes: null, name: 'x' }]
  )
  const { rows } = await s.pool.query(
    `INSERT INTO imports (account_id, type, state, file_name, file_key, file_bytes, file_sha256,
      dialect, options, mapping)
    VALUES ($1, 'vaults', 'completed', 'f', 'k', 1, 's', '{}', '{}', '[]') RETURNING id`,
    [s.account_id]
  )
  const cells = ['v1', old.seal('cell'), '"quoted", {braces}', '', 'enc:1:typed:by-somebody']
  await s.pool.query(
    `INSERT INTO import_rows (account_id, row_number, import_id, created_on, line_number, outcome,
      cells) VALUES ($1, 1, $2, current_date, 2, 'rejected', $3)`,
    [s.account_id, rows[0].id, cells]
  )
  await s.pool.query(
    `INSERT INTO import_waiting_rows (account_id, import_id, row_number, line_number, file_offset,
      cells) VALUES ($1, $2, 2, 3, 100, $3)`,
    [s.account_id, rows[0].id, cells]
  )
  await s.pool.query(
    `INSERT INTO webhook_endpoints (account_id, url, secret, headers)
    VALUES ($1, 'https://example.com', $2, $3)`,
    [s.account_id, old.seal('whsec'), old.seal('{}')]
  )
  const place = { dataDir: s.config.dataDir, secrets: old }
  const { file_key } = await storeUpload(place, [Buffer.from('a,b\n')] as never)
  await keepUpload(s.config.dataDir, file_key)
  return { ids, cells, file_key }
}

/** Every token that is anywhere, by where it is. */
async function tokens({ pool }: Setup) {
  const { rows } = await pool.query(
    `SELECT r.data, r.version, r.updated_at FROM records r WHERE r.type_id = 1000 ORDER BY r.id`
  )
  const others = await pool.query(
    `SELECT (SELECT c.before FROM record_changes c) AS before,
      (SELECT r.cells FROM import_rows r) AS cells,
      (SELECT w.cells FROM import_waiting_rows w) AS waiting`
  )
  return { records: rows, ...others.rows[0] }
}

type Rows = { data: { name: string; password: string; codes: string[] }; version: number }[]

function checkRecords(t: Test, records: unknown, secrets: Secrets) {
  for (const [i, { data, version }] of Object.entries(records as Rows)) {
    t.equal(keyIdOf(data.password), 'new')
    t.equal(secrets.open(data.password), `p${i}`)
    t.same(data.codes.map(secrets.open), ['a', 'b'])
    t.equal(data.name, `v${i}`)
    t.equal(version, 1, 'no change of the record')
  }
}

t.test('rewrites every value, batch by batch, and reads with the new key alone', async (t) => {
  const s = await setupOld(t)
  // One more than a batch.
  const { cells, file_key } = await fill(s, 501)
  const before = await s.pool.query('SELECT w.write_seq FROM type_writes w WHERE w.type_id = 1000')
  t.equal(before.rowCount, 0)

  const first = await s.run([oldKey], 'status')
  t.match(first.stdout, /^old \(current\) +1,503 +1 +1 +1 +2 +1$/m, first.stderr)
  const missing = await s.run([newKey], 'rotate')
  t.equal(missing.code, 2)
  t.match(missing.stderr, /stay as they are: 1,503 in records.*Missing keys: old/)

  const { code, stdout, stderr } = await s.run([newKey, oldKey], 'rotate')
  t.equal(code, 0, stderr)
  t.match(
    stdout,
    /with key new: 1,503 in records, 1 in history, 1 in rejected rows, 1 in waiting rows, 2 in webhooks, 1 uploads/
  )
  t.match(stdout, /2 cells look encrypted and cannot be read/)

  const secrets = makeSecrets([newKey])
  const found = await tokens(s)
  checkRecords(t, found.records, secrets)
  t.equal(secrets.open(found.before.password), 'before')
  t.match(found.before, { codes: null, name: 'x' })
  for (const row of [found.cells, found.waiting]) {
    t.equal(secrets.open(row[1]), 'cell')
    t.same(row.toSpliced(1, 1), cells.toSpliced(1, 1), 'the other cells are as they were')
  }
  const { rows } = await s.pool.query('SELECT w.secret, w.headers FROM webhook_endpoints w')
  t.same([secrets.open(rows[0].secret), secrets.open(rows[0].headers)], ['whsec', '{}'])
  const chunks = await Array.fromAsync(openUpload({ dataDir: s.config.dataDir, secrets }, file_key))
  t.equal(Buffer.concat(chunks).toString(), 'a,b\n')

  const after = await s.run([newKey], 'status')
  t.match(after.stdout, /^new \(current\) +1,503 +1 +1 +1 +2 +1$/m)
  t.notMatch(after.stdout, /^old/m)
  const again = await s.run([newKey], 'rotate')
  t.match(again, { code: 0, stdout: /0 in records, 0 in history.*0 uploads/ }, 'nothing is left')
})

t.test('what was stored before it was a secret is encrypted as well', async (t) => {
  const s = await setupOld(t)
  await makeRecord(s, 'vaults', { name: 'v0', password: 'p0', codes: ['a', 'b'] })
  const { file_key } = await fill(s, 0)
  await writeFile(uploadPath(s.config.dataDir, file_key), 'a,b\n')
  const status = await s.run([newKey], 'status')
  t.match(status.stdout, /^not encrypted +3 +0 +0 +0 +0 +1$/m)
  t.equal((await s.run([newKey, oldKey], 'rotate')).code, 0)
  checkRecords(t, (await tokens(s)).records, makeSecrets([newKey]))
  t.notMatch((await s.run([newKey], 'status')).stdout, /not encrypted/)
})

t.test('an upload that its key cannot read stays, and does not keep the others', async (t) => {
  const s = await setupOld(t)
  const { file_key } = await fill(s, 0)
  const path = uploadPath(s.config.dataDir, file_key)
  const bytes = await readFile(path)
  bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60)
  await writeFile(path, bytes)
  const place = { dataDir: s.config.dataDir, secrets: old }
  const { file_key: other } = await storeUpload(place, [Buffer.from('a,b\n')] as never)
  await keepUpload(s.config.dataDir, other)
  const { code, stdout, stderr } = await s.run([newKey, oldKey], 'rotate')
  t.equal(code, 2)
  t.match(stdout, /1 uploads/)
  t.match(stderr, /stay as they are: .* 1 uploads/)
  t.ok((await readFile(path)).equals(bytes))
})

t.test('an account without secrets has nothing to do', async (t) => {
  const s = await setup(t)
  const { stdout, code } = await runProcess(t, 'src/cli.ts', ['secrets', 'rotate'], {
    DATABASE_URL: s.databaseUrl,
    MUSTER_DATA_DIR: s.config.dataDir
  })
  t.equal(code, 0)
  t.match(stdout, /0 in records/)
})
