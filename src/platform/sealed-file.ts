// The form of an encrypted file: a header of 64 bytes, then the content in AES-256-CTR.
//
//   magic (8) | version (1) | length of the key id (1) | key id (32) | nonce (16) | zeros (6)
//
// Each file has a key of its own, derived from the secret key that the header names and the nonce.
// Counter mode keeps sizes and offsets those of the content, and can be read from any byte on. It
// does not notice when somebody changes the file: the sha256 of the content is stored elsewhere.
// In: bytes and their offset. Out: bytes. Called by files.ts.

import { type Cipheriv, createCipheriv, randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import type { Secrets } from './secrets.ts'

/** Bytes before the content. */
export const headerBytes = 64

// The first byte is no UTF-8 and no start of any text: a CSV file never looks like this.
const magic = Buffer.from('\x89MUSTER\n', 'latin1')
const version = 1
const idPlace = 10
const noncePlace = 42
const nonceBytes = 16
const blockBytes = 16

export interface FileHeader {
  keyId: string
  nonce: Buffer
}

/** Starts a new file under the current key. Out: its header as bytes, and what encrypts the content
 *  from its first byte on. */
export function startSealing(secrets: Secrets): { head: Buffer; cipher: Cipheriv } {
  const header = { keyId: secrets.currentKeyId, nonce: randomBytes(nonceBytes) }
  const head = Buffer.alloc(headerBytes)
  magic.copy(head)
  head.writeUInt8(version, magic.length)
  head.writeUInt8(header.keyId.length, idPlace - 1)
  head.write(header.keyId, idPlace, 'latin1')
  header.nonce.copy(head, noncePlace)
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
    nonce: Buffer.from(head.subarray(noncePlace, noncePlace + nonceBytes))
  }
}

/** What turns the content from byte `offset` on into its other form: in counter mode encrypting and
 *  decrypting are the same. Throws secret_key_missing. */
export function cipherAt(secrets: Secrets, { keyId, nonce }: FileHeader, offset: number): Cipheriv {
  const counter = Buffer.alloc(blockBytes)
  // No key serves two files, so the counter begins at zero in each.
  counter.writeBigUInt64BE(BigInt(Math.floor(offset / blockBytes)), 8)
  const cipher = createCipheriv('aes-256-ctr', secrets.fileKey(keyId, nonce), counter)
  cipher.update(Buffer.alloc(offset % blockBytes))
  return cipher
}
