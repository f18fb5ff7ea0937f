// Disks that are full, for tests of what happens then.

import { execFile } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Teardown } from './cluster.ts'

const run = promisify(execFile)

/** A small disk in `folder`, in memory, where this user may make one; null elsewhere. */
export async function smallDisk(t: Teardown, folder: string, size: string): Promise<string | null> {
  const path = join(folder, 'disk')
  await mkdir(path)
  const options = `size=${size},mode=0711`
  const made = await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).then(
    () => true,
    () => false
  )
  if (!made) return null
  t.teardown(() => run('umount', ['-l', path]))
  return path
}

/** Writes a file until the disk has no room left. */
export async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'w')
  // In smaller and smaller steps, so that nothing is left for anybody.
  for (let bytes = 1024 * 1024; bytes >= 1024; bytes /= 2) {
    let isFull = false
    while (!isFull) {
      const { bytesWritten } = await file
        .write(Buffer.alloc(bytes))
        .catch(() => ({ bytesWritten: 0 }))
      isFull = bytesWritten < bytes
    }
  }
  await file.close()
}
