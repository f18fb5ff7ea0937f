// COPY ... FROM STDIN over a pg connection: several tables in one go, without a pause.
//
// In: COPY statements and their lines. Out: a promise that settles with the server's answer. The
// statements travel as one query and all data follows at once: a batch is far smaller than the
// memory it was made from. So the server works through all of it while the next thing is being
// prepared here. (A Writable stream stops every 16 KiB until the event loop has turned, and each
// statement costs a turn of its own: the server then waits for us. See docs/decisions/0005.)
// Source: PostgreSQL documentation, frontend/backend protocol, "COPY Operations", "Simple Query".

import type { Connection, Submittable } from 'pg'
import type { Tx } from './db.ts'

/** One table's share: a whole `COPY ... FROM STDIN` statement and its lines, ends included. */
export interface CopyPart {
  sql: string
  lines: Iterable<string>
}

// The parts of pg's connection that COPY needs; its type declarations do not list them.
interface CopyConnection extends Connection {
  query(text: string): void
  stream: Connection['stream'] & NodeJS.WritableStream
}

const copyData = 0x64 // 'd'
const copyDone = Buffer.from([0x63, 0, 0, 0, 4]) // 'c'
const chunkChars = 64 * 1024

/** The query object that pg drives: it calls the handle... methods as the server answers. */
class CopyQuery implements Submittable {
  readonly done = Promise.withResolvers<void>()
  readonly parts: CopyPart[]

  constructor(parts: CopyPart[]) {
    this.parts = parts
  }

  /** Sends everything. What the server refuses it reports once, and passes over the rest. */
  submit(connection: Connection): void {
    const { query, stream } = connection as CopyConnection
    query.call(connection, this.parts.map((part) => part.sql).join(';\n'))
    for (const { lines } of this.parts) {
      let chunk = ''
      for (const line of lines) {
        chunk += line
        if (chunk.length < chunkChars) continue
        stream.write(dataMessage(chunk))
        chunk = ''
      }
      if (chunk !== '') stream.write(dataMessage(chunk))
      stream.write(copyDone)
    }
  }

  /** pg replaces it when a query timeout is set, and wants it called at the end. */
  callback(): void {}

  handleCopyInResponse(): void {}

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback()
    this.done.resolve()
  }

  handleError(error: Error): void {
    this.callback()
    this.done.reject(error)
  }
}

function dataMessage(text: string): Buffer {
  const bytes = Buffer.byteLength(text)
  const message = Buffer.allocUnsafe(5 + bytes)
  message[0] = copyData
  message.writeInt32BE(4 + bytes, 1)
  message.write(text, 5)
  return message
}

/** Copies all parts in the order given. `meanwhile` runs once everything is handed over; the server
 *  is still at work then. Rejects with the server's error: then nothing of any part is stored. */
export async function copyAll(tx: Tx, parts: CopyPart[], meanwhile: () => void): Promise<void> {
  const query = tx.query(new CopyQuery(parts))
  query.done.promise.catch(() => {})
  meanwhile()
  await query.done.promise
}
