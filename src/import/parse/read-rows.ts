// Reads the data rows of a CSV file in batches. In: bytes from a checkpoint on, in any chunks, and
// the dialect that sniffCsv found. Out: RawRow batches, each with the checkpoint behind it. Called
// by import/read-resolved.ts and import/preview.ts.

import type { Checkpoint, Dialect, RawRow } from '../terms.ts'
import { readLines } from './read-lines.ts'
import { checkpointOf, createRowReader, type ReadOptions } from './row-reader.ts'
import { fillWindow } from './window.ts'

export type { ReadOptions } from './row-reader.ts'

export interface RowBatch {
  /** At most `batchRows` rows; fewer when they have more than 8 MiB. Empty only in a last batch
   *  that passes over blank lines. */
  rows: RawRow[]
  /** Where to go on when all rows of the batch are done. */
  end: Checkpoint
}

/** Reads every data row exactly once, in file order, from `options.from` to the end of the source.
 *
 *  A row is right (as many cells as the header, `problems` null) or has problems: column_count,
 *  stray_quote, open_quote, encoding_invalid_row, nul_byte, row_too_large. It never throws for what
 *  is in the file, only what the source throws. Blank lines (nothing, or spaces and tabs) are no
 *  rows; they are counted. Reading from any batch's `end` gives exactly the remaining rows.
 *
 *  Memory: one batch and some chunks, whatever the file or a row is long. The source is closed when
 *  the consumer stops early. Source: RFC 4180 section 2; \n, \r\n and \r end lines alike. */
export async function* readRows(
  source: AsyncIterable<Uint8Array>,
  dialect: Dialect,
  options: ReadOptions
): AsyncGenerator<RowBatch, void, undefined> {
  const reader = createRowReader(dialect, options)
  const chunks = source[Symbol.asyncIterator]()
  let blankRows = options.from.blankRows
  try {
    for (;;) {
      const state = readLines(reader)
      if (state === 'more') {
        await fillWindow(reader.window, chunks)
        continue
      }
      if (reader.rows.length > 0 || reader.blankRows > blankRows) {
        const batch = { rows: reader.rows, end: checkpointOf(reader) }
        reader.rows = []
        reader.bytes = 0
        blankRows = reader.blankRows
        yield batch
      }
      if (state === 'done') return
    }
  } finally {
    await chunks.return?.()
  }
}
