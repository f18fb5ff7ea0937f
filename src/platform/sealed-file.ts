// The form of an encrypted file: a header of 64 bytes, then the content in AES-256-CTR.
//
//   magic (8) | version (1) | length of the key id (1) | key id (32) | nonce (16) | check (6)
//
// Each file has a key of its own, derived from the secret key that the header names and the nonce.
// Counter mode keeps sizes and offsets those of the content, and can be read from any byte on. It
// does not notice when somebody changes the file: the sha256 of the content is stored elsewhere. The
// check tells a wrong key, which would turn the content into other bytes without a word.
// In: bytes and their offset. Out: bytes. Called by files.ts.

import { type Cipheriv, createCipheriv, createHmac, randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { appError } from '../errors.ts'
import type { Secrets } from './secrets.ts'

/** Bytes before the content. */
export const headerBytes = 64

// The first byte is no UTF-8 and no start of any text: a CSV file never looks like this.
const magic = Buffer.from('\x89MUSTER\n', 'latin1')
const version = 1
const idPlace = 10
const noncePlace = 42
const nonceBytes = 16
const checkPlace = 58
const blockBytes = 16

export interface FileHeader {
  keyId: string
  nonce: Buffer
  check: Buffer
}

/** Starts a new file under the current key. Out: its header as bytes, and what encrypts the content
 *  from its first byte on. */
export function startSealing(secrets: Secrets): { head: Buffer; cipher: Cipheriv } {
  const keyId = secrets.currentKeyId
  const nonce = randomBytes(nonceBytes)
  const header = { keyId, nonce, check: checkOf(secrets.fileKey(keyId, nonce)) }
  const head = Buffer.alloc(headerBytes)
  magic.copy(head)
  head.writeUInt8(version, magic.length)
  head.writeUInt8(header.keyId.length, idPlace - 1)
  head.write(header.keyId, idPlace, 'latin1')
  header.nonce.copy(head, noncePlace)
  header.check.copy(head, checkPlace)
  return { head, cipher: cipherAt(secrets, header, 0) }
}

/** Reads the header of a file; null when it was written before files were encrypted.
 *  Throws an Error when it is of a later version of this service. */
export async function readFileHeader(file: FileHandle): Promise<FileHeader | null> {
  const head = Buffer.alloc(headerBytes)
  const { bytesRead } = await file.read(head, 0, headerBytes, 0)
  if (bytesRead < headerBytes || !head.subarray(0, magic.length).equals(magic)) return null
  const found = head.readUInt8(magic.length)
  if (found !== version) throw new Error(`an upload is encrypted in form ${found}, not known here`)
  const idLength = head.readUInt8(idPlace - 1)
  return {
    keyId: head.toString('latin1', idPlace, idPlace + idLength),
    nonce: Buffer.from(head.subarray(noncePlace, noncePlace + nonceBytes)),
    check: Buffer.from(head.subarray(checkPlace))
  }
}

/** What turns the content from byte `offset` on into its other form: in counter mode encrypting and
 *  decrypting are the same. Throws secret_key_missing, secret_unreadable (another key of that id). */
export function cipherAt(secrets: Secrets, header: FileHeader, offset: number): Cipheriv {
  const { keyId, nonce, check } = header
  const key = secrets.fileKey(keyId, nonce)
  if (!checkOf(key).equals(check)) throw appError('secret_unreadable', { key: keyId })
  const counter = Buffer.alloc(blockBytes)
  // No key serves two files, so the counter begins at zero in each.
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / blockBytes)), 8)
  const cipher = createCipheriv('aes-256-ctr', key, counter)
  cipher.update(Buffer.alloc(offset % blockBytes))
  return cipher
}

/** What a header says of its file's key. */
function checkOf(fileKey: Buffer): Buffer {
  const digest = createHmac('sha256', fileKey).update('muster upload check 1').digest()
  return digest.subarray(0, headerBytes - checkPlace)
}
