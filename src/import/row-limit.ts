// The most rows that one import of a type may have, where only reading the file can tell how many it
// has. Called by job.ts before anything is written.

import { appError } from '../errors.ts'
import { openUpload } from '../platform/files.ts'
import { readRows } from './parse/read-rows.ts'
import type { Run } from './run.ts'

/** Throws too_many_rows, with the number of rows in the file. */
export async function checkRowCount({ plan, read, signal }: Run): Promise<void> {
  const { name, limits } = plan.type
  if (limits.max_rows === undefined) return
  const { dialect, file_key, maxRowBytes, batchRows } = read
  const { dataOffset: offset, dataLine: line } = dialect
  let found = 0
  const from = { rows: 0, offset, line, blankRows: 0 }
  const bytes = openUpload(read, file_key, offset)
  for await (const { rows } of readRows(bytes, dialect, { from, maxRowBytes, batchRows })) {
    found += rows.length
    if (signal.aborted) return
  }
  if (found > limits.max_rows) {
    throw appError('too_many_rows', { type: name, found, limit: limits.max_rows })
  }
}
