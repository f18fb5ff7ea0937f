// Uploads on disk: nothing half written stays, what is kept reads back byte for byte.

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  chunkBytes,
  deleteUpload,
  hasUpload,
  keepUpload,
  openUpload,
  removeStrays,
  storeUpload,
  uploadPath
} from '../../src/platform/files.ts'

async function* chunksOf(content: Buffer, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

async function readAll(dataDir: string, key: string, offset?: number) {
  const chunks: Buffer[] = []
  for await (const chunk of openUpload(dataDir, key, offset)) chunks.push(chunk)
  return chunks
}

const partials = (dataDir: string) => readdir(join(dataDir, 'uploads', 'partial'))

t.test(
  'stores a stream with its size, hash and head, and keeps it under our own key',
  async (t) => {
    const dataDir = t.testdir()
    const content = randomBytes(chunkBytes * 2 + 17)
    const stored = await storeUpload(dataDir, chunksOf(content, 65_537))
    t.equal(stored.bytes, content.length)
    t.equal(stored.sha256, createHash('sha256').update(content).digest('hex'))
    t.ok(stored.head.equals(content.subarray(0, chunkBytes)))
    t.equal(stored.isWhole, false)
    t.same(await partials(dataDir), [stored.file_key], 'not kept yet')

    await keepUpload(dataDir, stored.file_key)
    t.same(await partials(dataDir), [])
    t.ok((await readFile(uploadPath(dataDir, stored.file_key))).equals(content))
    t.equal(await hasUpload(dataDir, stored.file_key), true)
  }
)

t.test('the head of a small file is the whole file', async (t) => {
  const { head, isWhole, bytes } = await storeUpload(t.testdir(), chunksOf(Buffer.from('a,b\n'), 1))
  t.equal(head.toString(), 'a,b\n')
  t.equal(isWhole, true)
  t.equal(bytes, 4)
})

t.test('a source that fails leaves no file and its own error', async (t) => {
  const dataDir = t.testdir()
  async function* broken() {
    yield Buffer.from('a,b\n')
    throw new Error('cut off')
  }
  await t.rejects(storeUpload(dataDir, broken()), { message: 'cut off' })
  t.same(await partials(dataDir), [])
})

t.test('a folder that cannot be written is our fault, not the upload', async (t) => {
  const dataDir = t.testdir({ uploads: 'a file where the folder should be' })
  await t.rejects(storeUpload(dataDir, chunksOf(Buffer.from('a'), 1)), {
    code: 'storage_unavailable',
    status: 503
  })
})

t.test('reads from an offset in fresh buffers of 256 KiB', async (t) => {
  const dataDir = t.testdir()
  const content = randomBytes(chunkBytes * 3)
  const { file_key } = await storeUpload(dataDir, chunksOf(content, 100_000))
  await keepUpload(dataDir, file_key)
  const chunks = await readAll(dataDir, file_key, 1_000)
  t.ok(Buffer.concat(chunks).equals(content.subarray(1_000)))
  t.same(
    chunks.map((chunk) => chunk.length),
    [chunkBytes, chunkBytes, chunkBytes - 1_000]
  )
  t.equal(new Set(chunks.map((chunk) => chunk.buffer)).size, chunks.length, 'none is reused')
})

t.test('an upload that is gone says so', async (t) => {
  await t.rejects(readAll(t.testdir(), randomUUID()), { code: 'upload_gone' })
})

t.test('deletes an upload whether it was kept or not', async (t) => {
  const dataDir = t.testdir()
  const one = await storeUpload(dataDir, chunksOf(Buffer.from('a'), 1))
  const two = await storeUpload(dataDir, chunksOf(Buffer.from('b'), 1))
  await keepUpload(dataDir, two.file_key)
  for (const { file_key } of [one, two]) await deleteUpload(dataDir, file_key)
  t.same(await readdir(join(dataDir, 'uploads')), ['partial'])
  t.same(await partials(dataDir), [])
  await deleteUpload(dataDir, one.file_key)
})

t.test('strays are the partial files that nobody writes to any more', async (t) => {
  const dataDir = t.testdir()
  t.equal(await removeStrays(dataDir, 1_000), 0, 'no folder, no strays')
  const folder = join(dataDir, 'uploads', 'partial')
  await mkdir(folder, { recursive: true })
  const anHourAgo = new Date(Date.now() - 3_600_000)
  await writeFile(join(folder, 'old'), 'a')
  await utimes(join(folder, 'old'), anHourAgo, anHourAgo)
  await writeFile(join(folder, 'young'), 'b')
  t.equal(await removeStrays(dataDir, 60_000), 1)
  t.same(await readdir(folder), ['young'])
})

t.test('a key that is not ours never becomes a path', async (t) => {
  for (const key of ['../../etc/passwd', '', 'a/b', `${randomUUID()}/..`]) {
    t.throws(() => uploadPath('/data', key), /not an upload key/)
  }
})
