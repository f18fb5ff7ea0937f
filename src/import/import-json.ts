// A row of `imports` -> the import as the API shows it. Pure but for the names it is handed.
// Progress comes from the counters that each batch commits; nothing is counted when asked.

import type { Static } from 'typebox'
import type { ImportRow } from './import-row.ts'
import type { ImportSchema } from './schemas.ts'
import type { ImportState } from './status.ts'

export type ImportJson = Static<typeof ImportSchema>

/** The part that changes while an import runs. */
export type ImportProgress = Pick<ImportJson, 'id' | 'state' | 'counts' | 'rows' | 'bytes'>

/** What the progress is made of. */
export type ProgressRow = Pick<
  ImportRow,
  | 'id'
  | 'kind'
  | 'state'
  | 'state_before'
  | 'dialect'
  | 'file_bytes'
  | 'next_offset'
  | 'rows_created'
  | 'rows_updated'
  | 'rows_unchanged'
  | 'rows_skipped'
  | 'rows_rejected'
  | 'rows_failed'
  | 'rows_reverted'
  | 'rows_kept'
  | 'rows_total'
  | 'started_at'
  | 'progressed_at'
  | 'finished_at'
>

/** What an import's row does not hold itself. */
export interface Around {
  /** The import's organization; null when it has none. */
  organization: { id: number; title: string } | null
  earlier_import?: number | null
  preview?: ImportJson['preview']
}

/** The import as JSON. */
export function importJson(row: ImportRow, around: Around): ImportJson {
  const { headers } = row.dialect
  const { counts, rows, bytes } = progressJson(row)
  return {
    id: row.id,
    type: row.type,
    kind: row.kind,
    state: row.state,
    dry_run: row.options.dry_run ?? false,
    mode: row.options.mode,
    allow_partial: row.options.allow_partial,
    profile: row.profile,
    options: optionsOf(row),
    organization: around.organization,
    file: row.kind === 'undo' ? null : fileOf(row),
    columns: headers.map((header, index) => ({ header, field: row.mapping[index] ?? null })),
    counts,
    rows_with_warnings: row.rows_with_warnings,
    references_created: row.references_created,
    not_pushed: notPushed(row),
    rows,
    bytes,
    created_at: row.created_at.toISOString(),
    created_by: creator(row),
    queued_at: row.queued_at?.toISOString() ?? null,
    started_at: row.started_at?.toISOString() ?? null,
    finished_at: row.finished_at?.toISOString() ?? null,
    error: row.error,
    applied_from: row.applied_from,
    applied_by: row.applied_by,
    undo_of: row.undo_of,
    undone_by: row.undone_by,
    expired: {
      file: row.kind === 'undo' ? null : (row.file_dropped_at?.toISOString() ?? null),
      rows: row.rows_dropped_at?.toISOString() ?? null,
      history: row.history_dropped_at?.toISOString() ?? null
    },
    links: {
      self: `/imports/${row.id}`,
      rows: `/imports/${row.id}/rows`,
      rejects: `/imports/${row.id}/rejects.csv`
    },
    ...(around.earlier_import !== undefined && { earlier_import: around.earlier_import }),
    ...(around.preview !== undefined && { preview: around.preview })
  }
}

/** The part of the import that changes while it runs. */
export function progressJson(row: ProgressRow): ImportProgress {
  const done = rowsDone(row)
  return {
    id: row.id,
    state: row.state,
    counts: {
      created: row.rows_created,
      updated: row.rows_updated,
      unchanged: row.rows_unchanged,
      skipped: row.rows_skipped,
      rejected: row.rows_rejected,
      failed: row.rows_failed,
      reverted: row.rows_reverted,
      kept: row.rows_kept,
      not_reached: row.rows_total === null ? null : Math.max(0, row.rows_total - done)
    },
    rows: { done, total: row.rows_total, ...speed(row, done) },
    bytes: { done: bytesDone(row), total: row.file_bytes }
  }
}

/** Rows that made or changed a record that nobody was told of. */
function notPushed(row: ImportRow): number {
  const isHeld = row.kind === 'import' && !row.options.dry_run
  return isHeld ? Math.max(0, row.rows_created + row.rows_updated - row.rows_pushed) : 0
}

/** All but those that are shown by themselves. */
function optionsOf({ options }: ImportRow): ImportJson['options'] {
  const { mode, dry_run, allow_partial, organization_id, ...rest } = options
  // An import that was stored before there was such an option.
  return { ...rest, notify_emails: rest.notify_emails ?? [], push: rest.push ?? 'none' }
}

function fileOf({ file_name, file_bytes, file_sha256, dialect }: ImportRow) {
  const { delimiter } = dialect
  return { name: file_name, bytes: file_bytes, sha256: file_sha256, delimiter }
}

function creator(row: ImportRow) {
  return row.created_by === null ? null : { id: row.created_by, name: row.created_by_name ?? '' }
}

/** How many rows have an outcome. */
export function rowsDone(row: ProgressRow): number {
  return (
    row.rows_created +
    row.rows_updated +
    row.rows_unchanged +
    row.rows_skipped +
    row.rows_rejected +
    row.rows_failed +
    row.rows_reverted +
    row.rows_kept
  )
}

const readToEnd: ReadonlySet<ImportState> = new Set(['ready', 'completed', 'completed_with_errors'])

function bytesDone(row: ProgressRow): number {
  return readToEnd.has(row.state_before ?? row.state)
    ? row.file_bytes
    : Math.min(row.next_offset, row.file_bytes)
}

/** Rows per second since the start, and the seconds left by the share of bytes already read. */
function speed(row: ProgressRow, rows: number) {
  const until = row.finished_at ?? row.progressed_at
  const seconds = row.started_at && until ? (until.getTime() - row.started_at.getTime()) / 1000 : 0
  if (seconds <= 0 || rows === 0) return { per_second: null, eta_seconds: null }
  const per_second = Math.round((rows / seconds) * 10) / 10
  // Of an undo the number of records is known, of a file that of bytes.
  const isUndo = row.kind === 'undo'
  const read = isUndo ? rows : bytesDone(row) - row.dialect.dataOffset
  const left = isUndo ? (row.rows_total ?? 0) - rows : row.file_bytes - bytesDone(row)
  const known = row.state === 'running' && read > 0
  return { per_second, eta_seconds: known ? Math.ceil((left / read) * seconds) : null }
}
