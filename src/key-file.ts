// The first API key, left in the data folder where only its owner can read it, so that the command
// line and the demo on the same machine need no setting up. Written once by the all-in-one process.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Path of the file with the first API key. */
export function keyFilePath(dataDir: string): string {
  return join(dataDir, 'api-key')
}

/** Leaves the key, readable by its owner only. */
export async function writeKeyFile(dataDir: string, key: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o711 })
  await writeFile(keyFilePath(dataDir), `${key}\n`, { mode: 0o600 })
}

/** Out: the key, or null when there is no such file or it is not ours to read. */
export async function readKeyFile(dataDir: string): Promise<string | null> {
  const text = await readFile(keyFilePath(dataDir), 'utf8').catch(() => '')
  return text.trim() || null
}
