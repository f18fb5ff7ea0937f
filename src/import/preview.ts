// What a draft would read from its file: the mapping with its suggestions, and the first rows typed
// and validated. Reads no more of the file than these rows take. Called by show-import.ts.

import type { Static } from 'typebox'
import { AppError } from '../errors.ts'
import { openUpload, type UploadPlace } from '../platform/files.ts'
import type { TypeCatalogue } from '../record-types/registry.ts'
import { isSensitive, type RecordData, type RecordType } from '../record-types/types.ts'
import type { ImportRow } from './import-row.ts'
import { readRows } from './parse/read-rows.ts'
import { completeOptions } from './resolve/import-options.ts'
import { suggestColumns, unmappedRequired } from './resolve/map-columns.ts'
import { compilePlan, type ImportPlan } from './resolve/plan.ts'
import { missingProblems, resolveRow } from './resolve/resolve-row.ts'
import type { PreviewSchema } from './schemas.ts'
import type { RawRow } from './terms.ts'

export interface PreviewSettings extends UploadPlace {
  maxRowBytes: number
}

export type PreviewJson = Static<typeof PreviewSchema>

const previewRows = 100

/** Previews a draft; null when its file, or its record type, is no longer there. */
export async function previewImport(
  settings: PreviewSettings,
  types: TypeCatalogue,
  row: ImportRow
): Promise<PreviewJson | null> {
  const type = types.get(row.type)
  if (!type) return null
  const { mapping } = row
  const options = completeOptions(type, row.options)
  const plan = compilePlan({ types, type, mapping, headers: row.dialect.headers, options })
  const found = await firstRows(settings, row).catch((error) => {
    if (error instanceof AppError && error.code === 'upload_gone') return null
    throw error
  })
  const rows = found?.map((raw) => {
    const row = resolveRow(plan, raw)
    const missing = options.mode === 'update_only' || row.id !== null ? [] : missingProblems(row)
    const problems = [...(row.problems ?? []), ...missing]
    return { row: raw.row, line: raw.line, values: shownValues(plan, row.values), problems }
  })
  if (!rows) return null
  return {
    columns: columnsOf(row, type),
    unmapped_required: unmappedRequired(mapping, type, options),
    rows
  }
}

/** Without secrets. */
function shownValues({ fields }: ImportPlan, values: RecordData): RecordData {
  const isShown = ([name]: [string, unknown]) => {
    const field = fields.get(name)
    return field === undefined || !isSensitive(field)
  }
  return Object.fromEntries(Object.entries(values).filter(isShown))
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
  const source = openUpload(settings, file_key, offset)
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
