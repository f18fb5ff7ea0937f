// Mails as files, for a service without a mail server. A file is there whole or not at all.

import { mkdir, readdir, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The folder that they are in. */
export const mailFolder = (dataDir: string): string => join(dataDir, 'mails')

/** Writes a file of our own name, over one of that name. Out: its path. */
export async function writeMailFile(dataDir: string, name: string, bytes: Buffer): Promise<string> {
  const folder = mailFolder(dataDir)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, name)
  await writeFile(`${path}.partial`, bytes, { mode: 0o600, flush: true })
  await rename(`${path}.partial`, path)
  return path
}

/** Deletes files that were written more than `days` days ago. Out: how many. */
export async function removeMailFiles(dataDir: string, days: number): Promise<number> {
  const folder = mailFolder(dataDir)
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const before = Date.now() - days * 24 * 3_600_000
  let removed = 0
  for (const name of names.filter((one) => /\.eml(\.partial)?$/.test(one))) {
    const path = join(folder, name)
    const info = await stat(path).catch(() => null)
    if (!info || info.mtimeMs > before) continue
    // Another process may be quicker: then the file is gone, which is what we want.
    removed += await unlink(path).then(
      () => 1,
      () => 0
    )
  }
  return removed
}
