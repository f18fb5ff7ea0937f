// The folder for uploads is full, or cannot be written: an upload is refused with 503, nothing of it
// stays, and the next one goes through once there is room, without a restart.

import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createClient } from './helpers/client.ts'
import { setupDatabase, temporaryFolder } from './helpers/cluster.ts'
import { fillUp, smallDisk } from './helpers/disks.ts'
import { startLimitedProcess } from './helpers/processes.ts'
import { setup } from './setup.ts'

const header = 'name,description\n'
const small = `${header}Alpha,first\n`
const large = header + `Beta,${'x'.repeat(10_000)}\n`.repeat(400)
const type = 'organizations'

/** Everything in the folder for uploads. */
const filesIn = async (dataDir: string) => {
  const names = await readdir(join(dataDir, 'uploads'), { recursive: true })
  return names.filter((name) => name !== 'partial')
}

t.test('a folder that cannot be written', async (t) => {
  const service = await setup(t, { worker: true })
  const { dataDir } = service.config
  t.equal((await service.runCsv(small, { type })).state, 'completed')
  const kept = await filesIn(dataDir)
  // Rights do not stop an administrator's processes; a file in the folder's place stops everybody.
  const partial = join(dataDir, 'uploads', 'partial')
  await rm(partial, { recursive: true })
  await writeFile(partial, '')
  const { status, body, headers } = await service.uploadCsv(large, { type })
  t.match({ status, body }, { status: 503, body: { code: 'storage_unavailable' } })
  t.ok(headers.get('retry-after'))
  t.same(await filesIn(dataDir), kept)
  t.equal((await service.get('/imports')).body.data.length, 1, 'and no import')
  await rm(partial)
  t.equal((await service.runCsv(small, { type })).state, 'completed', 'it is noticed at once')
})

t.test('a limit on the size of files', async (t) => {
  const { databaseUrl } = await setupDatabase(t)
  const dataDir = await temporaryFolder(t)
  // Writing beyond it fails as on a full disk, with another reason.
  const main = startLimitedProcess(t, { fileKiB: 2_048 }, 'src/main.ts', [], {
    DATABASE_URL: databaseUrl,
    MUSTER_DATA_DIR: dataDir,
    MUSTER_PORT: '0'
  })
  const url = await main.waitFor(/"url":"(http:[^"]+)".*"msg":"Muster is ready"/)
  const client = createClient(url, await main.waitFor(/^ {2}(mk_\S+)$/m))
  for (const _ of [1, 2]) {
    const { status, body } = await client.uploadCsv(large, { type })
    t.match({ status, body }, { status: 503, body: { code: 'storage_unavailable' } })
  }
  t.same(await filesIn(dataDir), [])
  t.equal((await client.runCsv(small, { type })).state, 'completed')
  t.equal((await client.get('/imports')).body.data.length, 1)
})

t.test('a disk that is really full', async (t) => {
  const disk = await smallDisk(t, await temporaryFolder(t), '6m')
  if (disk === null) return t.pass('not tried', { skip: 'needs the right to mount a small disk' })
  const service = await setup(t, { worker: true, config: { dataDir: disk } })
  await fillUp(join(disk, 'ballast'))
  for (const csv of [large, small]) {
    const { status, body } = await service.uploadCsv(csv, { type })
    t.match({ status, body }, { status: 503, body: { code: 'storage_unavailable' } })
  }
  t.same(await filesIn(disk), [])
  t.equal((await service.get('/imports')).body.data.length, 0)
  await rm(join(disk, 'ballast'))
  t.equal((await service.runCsv(large, { type })).state, 'completed_with_errors')
})
