// Secrets as text: encrypted for the database, readable again only with the key they name.
// In: plain text. Out: tokens `enc:1:<key id>:<base64url of iv, ciphertext, tag>` (AES-256-GCM).
// Opened once by each process (start-up.ts, the command line) and passed on from there.

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  type KeyObject,
  randomBytes
} from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, parseSecretKeys, type SecretKey } from '../config.ts'
import { appError } from '../errors.ts'

export interface Secrets {
  /** Plain text -> token under the current key; no two tokens are alike. */
  seal(plain: string): string
  /** Token -> plain text. Throws secret_key_missing when its key is not configured,
   *  secret_unreadable when it was tampered with, an Error when it is no token. */
  open(token: string): string
  /** 32 hexadecimal digits that are the same for the same text: to see that a secret has changed
   *  without keeping it. They change when the oldest key is taken away. */
  digest(plain: string): string
  /** The 32 bytes that the content of one file is encrypted with. Throws secret_key_missing. */
  fileKey(keyId: string, nonce: Buffer): Buffer
  /** Id of the key that is written with. */
  currentKeyId: string
  /** Ids of all keys, the current one first. */
  keyIds: string[]
  /** By id, 32 hexadecimal digits that tell the key from others and say nothing about it. */
  checks: Map<string, string>
}

const tokenPrefix = 'enc:1:'
const tokenPattern = /^enc:1:([\w-]{1,32}):([\w-]+)$/
const ivBytes = 12
const tagBytes = 16
// Says what the token is for and nothing about its place: values move between records when these
// are merged, and into the history.
const associatedData = Buffer.from('muster secret 1')

/** Whether a text has the form of a token. */
export function isSealed(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(tokenPrefix) && tokenPattern.test(value)
}

/** Id of the key that a token was made with. Throws an Error when it is no token. */
export function keyIdOf(token: string): string {
  return partsOf(token).keyId
}

/** The secrets of the configuration: keys of MUSTER_SECRET_KEYS, else of the file `secret-keys` in
 *  the data folder, which is made when it is missing. Throws an Error for people when the file
 *  cannot be made or makes no sense. */
export async function openSecrets(
  config: Pick<Config, 'secretKeys' | 'dataDir'>
): Promise<Secrets> {
  return makeSecrets(config.secretKeys ?? (await readKeyFile(config.dataDir)))
}

/** The same with keys at hand, the current one first. */
export function makeSecrets(keys: SecretKey[]): Secrets {
  const [current] = keys
  const oldest = keys.at(-1)
  if (!current || !oldest) throw new Error('there is no key for secrets')
  // Each use has a key of its own, so that none weakens another.
  const valueKeys = new Map(keys.map(({ id, key }) => [id, derive(key, 'value')]))
  const digestKey = derive(oldest.key, 'digest')
  const require = <T>(map: Map<string, T>, key: string): T => {
    const found = map.get(key)
    if (found === undefined) throw appError('secret_key_missing', { key })
    return found
  }
  const masterKeys = new Map(keys.map(({ id, key }) => [id, key]))
  const currentKey = require(valueKeys, current.id)
  return {
    currentKeyId: current.id,
    keyIds: keys.map(({ id }) => id),
    checks: new Map(
      keys.map(({ id, key }) => [id, derive(key, 'check').subarray(0, 16).toString('hex')])
    ),
    seal: (plain) => `${tokenPrefix}${current.id}:${encrypt(currentKey, plain)}`,
    open(token) {
      const { keyId, body } = partsOf(token)
      return decrypt(keyId, require(valueKeys, keyId), body)
    },
    digest: (plain) => createHmac('sha256', digestKey).update(plain).digest('hex').slice(0, 32),
    fileKey: (keyId, nonce) => derive(require(masterKeys, keyId), 'upload', nonce)
  }
}

function derive(key: KeyObject, use: string, salt: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `muster ${use} 1`, 32))
}

function encrypt(key: Buffer, plain: string): string {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(associatedData)
  const parts = [iv, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(parts).toString('base64url')
}

function decrypt(keyId: string, key: Buffer, body: Buffer): string {
  const end = body.length - tagBytes
  if (end < ivBytes) throw tampered(keyId)
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, ivBytes), {
      authTagLength: tagBytes
    })
    decipher.setAAD(associatedData).setAuthTag(body.subarray(end))
    return decipher.update(body.subarray(ivBytes, end), undefined, 'utf8') + decipher.final('utf8')
  } catch (error) {
    throw tampered(keyId, error)
  }
}

// Says nothing of the token: messages end up in logs.
const tampered = (key: string, cause?: unknown) => appError('secret_unreadable', { key }, { cause })

function partsOf(token: string): { keyId: string; body: Buffer } {
  const [, keyId = '', body = ''] = tokenPattern.exec(token) ?? []
  if (keyId === '') throw new Error('what should be an encrypted secret is none')
  return { keyId, body: Buffer.from(body, 'base64url') }
}

/** Path of the file with the keys that were made because none were configured. */
export function secretKeyFilePath(dataDir: string): string {
  return join(dataDir, 'secret-keys')
}

async function readKeyFile(dataDir: string): Promise<SecretKey[]> {
  const path = secretKeyFilePath(dataDir)
  const text = (await readIfThere(path)) ?? (await createKeyFile(dataDir, path))
  return parseSecretKeys(text, path)
}

/** Makes the file whole or not at all: it appears by a link that fails when another process, which
 *  may start at the same time, was quicker; then that one's file counts. Out: its text. */
async function createKeyFile(dataDir: string, path: string): Promise<string> {
  // An id of its own: keys of an installation that was lost are not taken for these.
  const id = `k${randomBytes(4).toString('hex')}`
  const text = `${id}:${randomBytes(32).toString('base64')}\n`
  const part = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o711 })
    await writeDurably(part, text)
    await link(part, path).catch((error) => {
      if (error.code !== 'EEXIST') throw error
    })
    await unlink(part)
    await syncFolder(dataDir)
  } catch (error) {
    await unlink(part).catch(() => {})
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`cannot make ${path} (${reason}). Set MUSTER_SECRET_KEYS.`, { cause: error })
  }
  return readFile(path, 'utf8')
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  await folder.sync().finally(() => folder.close())
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error) => {
    if (error.code === 'ENOENT') return null
    throw new Error(`cannot read ${path} (${error.message})`, { cause: error })
  })
}
