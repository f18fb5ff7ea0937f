// What a draft would read from its file: the mapping with its suggestions, and the first rows typed
// and validated. Reads no more of the file than these rows take. Called by show-import.ts.

import type { Static } from 'typebox'
import { AppError } from '../errors.ts'
import { openUpload } from '../platform/files.ts'
import { getRecordType } from '../record-types/registry.ts'
import type { RecordType } from '../record-types/types.ts'
import { readRows } from './parse/read-rows.ts'
import { suggestColumns, unmappedRequired } from './resolve/map-columns.ts'
import { compilePlan } from './resolve/plan.ts'
import { resolveRow } from './resolve/resolve-row.ts'
import type { PreviewSchema } from './schemas.ts'
import type { ImportRow } from './store.ts'
import type { RawRow } from './terms.ts'

export interface PreviewSettings {
  dataDir: string
  maxRowBytes: number
}

export type PreviewJson = Static<typeof PreviewSchema>

const previewRows = 100

/** Previews a draft; null when its file is no longer stored. */
export async function previewImport(
  settings: PreviewSettings,
  row: ImportRow
): Promise<PreviewJson | null> {
  const type = getRecordType(row.type)
  if (!type) throw new Error(`import ${row.id} has the unknown type ${row.type}`)
  const { mapping, options } = row
  const plan = compilePlan({ type, mapping, headers: row.dialect.headers, options })
  const found = await firstRows(settings, row).catch((error) => {
    if (error instanceof AppError && error.code === 'upload_gone') return null
    throw error
  })
  const rows = found?.map((raw) => {
    const { values, problems } = resolveRow(plan, raw)
    return { row: raw.row, line: raw.line, values, problems: problems ?? [] }
  })
  if (!rows) return null
  return {
    columns: columnsOf(row, type),
    unmapped_required: unmappedRequired(mapping, type, options),
    rows
  }
}

function columnsOf({ dialect, mapping }: ImportRow, type: RecordType) {
  const suggested = suggestColumns(dialect.headers, type)
  return dialect.headers.map((header, index) => ({
    header,
    field: mapping[index] ?? null,
    suggested: suggested[index]?.field ?? null,
    suggested_by: suggested[index]?.mapped_by ?? null
  }))
}

async function firstRows(settings: PreviewSettings, { dialect, file_key }: ImportRow) {
  const { dataOffset: offset, dataLine: line } = dialect
  const found: RawRow[] = []
  const source = openUpload(settings.dataDir, file_key, offset)
  const batches = readRows(source, dialect, {
    from: { rows: 0, offset, line, blankRows: 0 },
    maxRowBytes: settings.maxRowBytes,
    batchRows: previewRows
  })
  for await (const { rows } of batches) {
    found.push(...rows)
    if (found.length >= previewRows) break
  }
  return found.slice(0, previewRows)
}
