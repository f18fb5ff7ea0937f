// Uploads on disk: nothing half written stays, what is kept reads back byte for byte.

import { createHash, createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import {
  chunkBytes,
  deleteUpload,
  hasUpload,
  keepUpload,
  listUploads,
  openUpload,
  removeStrays,
  resealUpload,
  storeUpload,
  uploadKeyId,
  uploadPath
} from '../../src/platform/files.ts'
import { makeSecrets } from '../../src/platform/secrets.ts'

const keyOf = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) })
const [oldKey, newKey] = [keyOf('old'), keyOf('new')]
const secrets = makeSecrets([oldKey])

async function* chunksOf(content: Buffer, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

async function readAll(dataDir: string, key: string, offset?: number) {
  const chunks: Buffer[] = []
  for await (const chunk of openUpload({ dataDir, secrets }, key, offset)) chunks.push(chunk)
  return chunks
}

const partials = (dataDir: string) => readdir(join(dataDir, 'uploads', 'partial'))

t.test(
  'stores a stream with its size, hash and head, and keeps it under our own key',
  async (t) => {
    const dataDir = t.testdir()
    const content = randomBytes(chunkBytes * 2 + 17)
    const stored = await storeUpload({ dataDir, secrets }, chunksOf(content, 65_537))
    t.equal(stored.bytes, content.length)
    t.equal(stored.sha256, createHash('sha256').update(content).digest('hex'))
    t.ok(stored.head.equals(content.subarray(0, chunkBytes)))
    t.equal(stored.isWhole, false)
    t.same(await partials(dataDir), [stored.file_key], 'not kept yet')

    await keepUpload(dataDir, stored.file_key)
    t.same(await partials(dataDir), [])
    t.ok(Buffer.concat(await readAll(dataDir, stored.file_key)).equals(content))
    t.same(await listUploads(dataDir), [stored.file_key])
    t.equal(await hasUpload(dataDir, stored.file_key), true)
  }
)

t.test('the head of a small file is the whole file', async (t) => {
  const { head, isWhole, bytes } = await storeUpload(
    { dataDir: t.testdir(), secrets },
    chunksOf(Buffer.from('a,b\n'), 1)
  )
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
  await t.rejects(storeUpload({ dataDir, secrets }, broken()), { message: 'cut off' })
  t.same(await partials(dataDir), [])
})

t.test('a folder that cannot be written is our fault, not the upload', async (t) => {
  const dataDir = t.testdir({ uploads: 'a file where the folder should be' })
  await t.rejects(storeUpload({ dataDir, secrets }, chunksOf(Buffer.from('a'), 1)), {
    code: 'storage_unavailable',
    status: 503
  })
})

t.test('reads from an offset in fresh buffers of 256 KiB', async (t) => {
  const dataDir = t.testdir()
  const content = randomBytes(chunkBytes * 3)
  const { file_key } = await storeUpload({ dataDir, secrets }, chunksOf(content, 100_000))
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
  const one = await storeUpload({ dataDir, secrets }, chunksOf(Buffer.from('a'), 1))
  const two = await storeUpload({ dataDir, secrets }, chunksOf(Buffer.from('b'), 1))
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

const readable = 'a,b\nAnn,top secret\n'.repeat(2_000)

/** A kept upload of readable text. */
async function keptText(dataDir: string, text = readable) {
  const { file_key } = await storeUpload({ dataDir, secrets }, chunksOf(Buffer.from(text), 777))
  await keepUpload(dataDir, file_key)
  return file_key
}

t.test('no content is readable on disk, and no two files are alike', async (t) => {
  const dataDir = t.testdir()
  const files = [await keptText(dataDir), await keptText(dataDir)]
  const [one, two] = await Promise.all(files.map((key) => readFile(uploadPath(dataDir, key))))
  t.notOk(one?.includes('secret'))
  t.equal(one?.length, readable.length + 64)
  t.notOk(one?.subarray(64).equals(two?.subarray(64) ?? Buffer.alloc(0)))
  t.equal(await uploadKeyId(dataDir, files[0] ?? ''), 'old')
})

t.test('reads from any byte on', async (t) => {
  const dataDir = t.testdir()
  const content = randomBytes(chunkBytes + 100)
  const { file_key } = await storeUpload({ dataDir, secrets }, chunksOf(content, 33))
  await keepUpload(dataDir, file_key)
  for (const offset of [0, 1, 15, 16, 17, 4_095, chunkBytes - 1, chunkBytes + 99, chunkBytes + 100])
    t.ok(
      Buffer.concat(await readAll(dataDir, file_key, offset)).equals(content.subarray(offset)),
      `from ${offset}`
    )
})

t.test('a file of a time before encryption is read as it is', async (t) => {
  const dataDir = t.testdir()
  for (const text of ['', 'a,b\n', readable]) {
    const key = randomUUID()
    await mkdir(join(dataDir, 'uploads'), { recursive: true })
    await writeFile(uploadPath(dataDir, key), text)
    t.equal(Buffer.concat(await readAll(dataDir, key)).toString(), text)
    t.equal(Buffer.concat(await readAll(dataDir, key, 2)).toString(), text.slice(2))
    t.equal(await uploadKeyId(dataDir, key), null)
    await resealUpload({ dataDir, secrets }, key)
    t.equal(Buffer.concat(await readAll(dataDir, key)).toString(), text)
    t.equal(await uploadKeyId(dataDir, key), 'old', 'encrypted from now on')
  }
})

t.test('a file is written anew under another key while somebody reads it', async (t) => {
  const dataDir = t.testdir()
  const key = await keptText(dataDir, readable.repeat(20))
  const both = makeSecrets([newKey, oldKey])
  const reading = openUpload({ dataDir, secrets: both }, key)
  const first = await reading.next()
  await resealUpload({ dataDir, secrets: both }, key)
  t.equal(await uploadKeyId(dataDir, key), 'new')
  const rest = await Array.fromAsync(reading)
  t.equal(Buffer.concat([first.value as Buffer, ...rest]).toString(), readable.repeat(20))
  const again = await Array.fromAsync(
    openUpload({ dataDir, secrets: makeSecrets([newKey]) }, key, 1)
  )
  t.equal(Buffer.concat(again).toString(), readable.repeat(20).slice(1))
  t.same(await partials(dataDir), [], 'nothing is left behind')
  await t.rejects(readAll(dataDir, key), { code: 'secret_key_missing' })
})

t.test('another key under the same id reads nothing, least of all garbage', async (t) => {
  const dataDir = t.testdir()
  const key = await keptText(dataDir, readable)
  const impostor = makeSecrets([{ id: 'old', key: newKey.key }])
  await t.rejects(Array.fromAsync(openUpload({ dataDir, secrets: impostor }, key)), {
    code: 'secret_unreadable',
    status: 503
  })
})
