// Whether what taking an import back needs is still kept: its outcomes, and the history since it began.

import { appError } from '../errors.ts'
import type { ImportRow } from '../import/import-row.ts'

/** Throws rows_gone, history_gone. */
export function requireKept({ id, rows_dropped_at, history_dropped_at }: ImportRow): void {
  const day = (time: Date) => time.toISOString().slice(0, 10)
  if (rows_dropped_at) throw appError('rows_gone', { id, day: day(rows_dropped_at) })
  if (history_dropped_at) throw appError('history_gone', { id, day: day(history_dropped_at) })
}
