// Uploads on disk: a stream comes in, a file under our own random key comes out, encrypted.
// Sizes, offsets and hashes are those of the content as it was sent (see sealed-file.ts).
// A file is written to uploads/partial/ first and moved to uploads/ when the caller keeps it, so
// everything in uploads/partial/ that nobody writes to any more is a leftover and may be deleted.
// Called by import/accept (store, keep, delete), previews and jobs (open), app.ts (strays),
// retention (pages, delete) and `muster secrets` (key ids, rewriting).

import { createHash, randomUUID } from 'node:crypto'
import {
  constants,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  opendir,
  readdir,
  rename,
  rm,
  stat,
  unlink,
  utimes
} from 'node:fs/promises'
import { join } from 'node:path'
import { appError } from '../errors.ts'
import type { Log } from './log.ts'
import { cipherAt, headerBytes, readFileHeader, startSealing } from './sealed-file.ts'
import type { Secrets } from './secrets.ts'

/** Size of the buffers that `openUpload` yields, and of the `head` kept for sniffing. */
export const chunkBytes = 256 * 1024

/** Where uploads are, and the keys that they are encrypted with. */
export interface UploadPlace {
  dataDir: string
  secrets: Secrets
}

/** A file that was written completely and is not kept yet. */
export interface StoredUpload {
  /** Our own name for the file: a random UUID. */
  file_key: string
  bytes: number
  /** Lower-case hex. */
  sha256: string
  /** The first 256 KiB, or all there is. */
  head: Buffer
  /** Whether `head` is the whole file. */
  isWhole: boolean
}

const folderOf = (dataDir: string) => join(dataDir, 'uploads')
const partialFolderOf = (dataDir: string) => join(dataDir, 'uploads', 'partial')

/** Path of a kept upload. Throws an Error when the key is not one of ours. */
export function uploadPath(dataDir: string, fileKey: string): string {
  return join(folderOf(dataDir), checkedKey(fileKey))
}

/** Writes a stream to a new file, encrypted and durably (fsync). Memory: one chunk and `head`. When
 *  the source fails nothing is left and its error is rethrown; when the disk fails:
 *  storage_unavailable. */
export async function storeUpload(
  { dataDir, secrets }: UploadPlace,
  source: AsyncIterable<Buffer>
): Promise<StoredUpload> {
  const file_key = randomUUID()
  const path = join(partialFolderOf(dataDir), file_key)
  const file = await onDisk(() => createFile(dataDir, path))
  try {
    const stored = await writeAll(file, source, secrets)
    await onDisk(() => file.sync())
    await onDisk(() => file.close())
    return { file_key, ...stored }
  } catch (error) {
    await file.close().catch(() => {})
    await rm(path, { force: true })
    throw error
  }
}

async function createFile(dataDir: string, path: string): Promise<FileHandle> {
  await mkdir(partialFolderOf(dataDir), { recursive: true, mode: 0o700 })
  return open(path, 'wx', 0o600)
}

async function writeAll(file: FileHandle, source: AsyncIterable<Buffer>, secrets: Secrets) {
  const { head, cipher } = startSealing(secrets)
  await onDisk(() => file.appendFile(head))
  const hash = createHash('sha256')
  const heads: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    if (bytes < chunkBytes) heads.push(chunk.subarray(0, chunkBytes - bytes))
    hash.update(chunk)
    bytes += chunk.length
    await onDisk(() => file.appendFile(cipher.update(chunk)))
  }
  return {
    bytes,
    sha256: hash.digest('hex'),
    head: Buffer.concat(heads),
    isWhole: bytes <= chunkBytes
  }
}

/** Makes a stored upload permanent. Called last in the transaction that names its key: a crash
 *  before it leaves a stray that `removeStrays` finds, never an import without its file. */
export async function keepUpload(dataDir: string, fileKey: string): Promise<void> {
  await moveUpload(dataDir, fileKey, fileKey)
}

async function moveUpload(dataDir: string, partial: string, fileKey: string): Promise<void> {
  const path = uploadPath(dataDir, fileKey)
  await onDisk(async () => {
    await rename(join(partialFolderOf(dataDir), partial), path)
    await syncFolder(folderOf(dataDir))
  })
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

/** Gives a kept upload a second name, under a key of its own, and returns that: each of the two is
 *  deleted by itself. Called last in the transaction that names the key, as `keepUpload`. Throws
 *  upload_gone, storage_unavailable. */
export async function shareUpload(dataDir: string, fileKey: string): Promise<string> {
  const file_key = randomUUID()
  const [from, to] = [uploadPath(dataDir, fileKey), uploadPath(dataDir, file_key)]
  const now = new Date()
  try {
    // Both have one age: the new name must not be taken for a stray of long ago.
    await utimes(from, now, now)
    await link(from, to).catch((error) => {
      if (isMissing(error)) throw error
      // A file system without links.
      return copyFile(from, to, constants.COPYFILE_EXCL)
    })
    await syncFolder(folderOf(dataDir))
    return file_key
  } catch (error) {
    await rm(to, { force: true })
    throw appError(isMissing(error) ? 'upload_gone' : 'storage_unavailable', {}, { cause: error })
  }
}

/** Deletes an upload, kept or not; one that is not there is fine. */
export async function deleteUpload(dataDir: string, fileKey: string): Promise<void> {
  await rm(uploadPath(dataDir, fileKey), { force: true })
  await rm(join(partialFolderOf(dataDir), fileKey), { force: true })
}

/** Whether a kept upload is still there. */
export async function hasUpload(dataDir: string, fileKey: string): Promise<boolean> {
  return stat(uploadPath(dataDir, fileKey)).then(
    () => true,
    () => false
  )
}

/** Yields a kept upload's content from byte `offset` on, in fresh buffers of 256 KiB. Throws
 *  upload_gone when the file is not there any more, secret_key_missing when its key is not,
 *  secret_unreadable when that is another one.
 *  Leaving the loop closes the file. */
export function openUpload(
  place: UploadPlace,
  fileKey: string,
  offset = 0
): AsyncGenerator<Buffer> {
  return openSealed(place.secrets, uploadPath(place.dataDir, fileKey), offset)
}

/** As `openUpload`, for an upload that was stored and is not kept yet. */
export function openPartial(place: UploadPlace, fileKey: string): AsyncGenerator<Buffer> {
  const path = join(partialFolderOf(place.dataDir), checkedKey(fileKey))
  return openSealed(place.secrets, path, 0)
}

async function* openSealed(secrets: Secrets, path: string, offset: number): AsyncGenerator<Buffer> {
  const file = await openFile(path)
  try {
    const header = await readFileHeader(file)
    const cipher = header && cipherAt(secrets, header, offset)
    let position = offset + (header ? headerBytes : 0)
    // Read into again and again: only what is yielded is new.
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, position)
      if (bytesRead === 0) return
      position += bytesRead
      const bytes = buffer.subarray(0, bytesRead)
      yield cipher ? cipher.update(bytes) : Buffer.copyBytesFrom(bytes)
    }
  } finally {
    await file.close()
  }
}

async function openFile(path: string): Promise<FileHandle> {
  return open(path, 'r').catch((error) => {
    throw isMissing(error) ? appError('upload_gone', {}, { cause: error }) : error
  })
}

/** The keys of all kept uploads. */
export async function listUploads(dataDir: string): Promise<string[]> {
  const names = await readdir(folderOf(dataDir)).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  return names.filter((name) => keyPattern.test(name)).sort()
}

/** The keys of kept uploads that were written longer ago than `olderThanMs`, in pages of at most
 *  `pageSize` and no order. Memory: one page. */
export async function* uploadPages(
  dataDir: string,
  { olderThanMs, pageSize }: { olderThanMs: number; pageSize: number }
): AsyncGenerator<string[]> {
  const folder = await opendir(folderOf(dataDir)).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  let page: string[] = []
  for await (const { name } of folder) {
    if (!keyPattern.test(name)) continue
    if ((await ageOf(join(folderOf(dataDir), name))) < olderThanMs) continue
    page.push(name)
    if (page.length < pageSize) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
}

/** Milliseconds since a file was last written to; 0 when it is not there. */
function ageOf(path: string): Promise<number> {
  return stat(path).then(
    (info) => Date.now() - info.mtimeMs,
    () => 0
  )
}

/** Id of the key that an upload is encrypted with; null: it is not. Throws upload_gone. */
export async function uploadKeyId(dataDir: string, fileKey: string): Promise<string | null> {
  const file = await openFile(uploadPath(dataDir, fileKey))
  return readFileHeader(file)
    .then((header) => header?.keyId ?? null)
    .finally(() => file.close())
}

/** Writes an upload anew under the current key, and puts it in the place of the old file at once:
 *  who reads that goes on reading it. Throws as storeUpload and openUpload do. */
export async function resealUpload(place: UploadPlace, fileKey: string): Promise<void> {
  const { file_key: copy } = await storeUpload(place, openUpload(place, fileKey))
  await moveUpload(place.dataDir, copy, fileKey)
}

/** Deletes partial files that nobody has written to for `olderThanMs`: a crash left them behind.
 *  An upload that is alive writes more often than that. Returns how many were deleted. */
export async function removeStrays(dataDir: string, olderThanMs: number): Promise<number> {
  const folder = partialFolderOf(dataDir)
  const names = await readdir(folder).catch((error) => {
    if (isMissing(error)) return []
    throw error
  })
  let removed = 0
  for (const name of names) {
    const path = join(folder, name)
    if ((await ageOf(path)) < olderThanMs) continue
    // Another process may be quicker: then the file is gone, which is what we want.
    removed += await unlink(path).then(
      () => 1,
      () => 0
    )
  }
  return removed
}

/** Removes strays now and again and again, so that those too young at a restart go as well. */
export function sweepStrays(dataDir: string, olderThanMs: number, log: Log): { stop(): void } {
  const sweep = () =>
    removeStrays(dataDir, olderThanMs).then(
      (count) => count > 0 && log.info({ count }, 'stray uploads deleted'),
      (error) => log.warn({ err: error }, 'stray uploads not deleted')
    )
  void sweep()
  const timer = setInterval(sweep, Math.max(olderThanMs, 60_000)).unref()
  return { stop: () => clearInterval(timer) }
}

const keyPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

function checkedKey(fileKey: string): string {
  if (!keyPattern.test(fileKey)) throw new Error(`not an upload key: ${fileKey.slice(0, 80)}`)
  return fileKey
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as { code?: string }).code === 'ENOENT'
}

/** Runs a write to our own disk; a full or broken disk is our fault and worth another try later. */
async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw appError('storage_unavailable', {}, { cause: error })
  }
}
