// Import plans and resolved rows for tests that need no file and no database.

import type { ImportOptions } from '../../src/import/resolve/import-options.ts'
import { completeOptions } from '../../src/import/resolve/import-options.ts'
import { suggestMapping } from '../../src/import/resolve/map-columns.ts'
import { compilePlan, type ImportPlan } from '../../src/import/resolve/plan.ts'
import { type ResolvedRow, resolveRow } from '../../src/import/resolve/resolve-row.ts'
import type { SecretBox } from '../../src/import/terms.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import type { RecordData, RecordType } from '../../src/record-types/types.ts'

/** Secrets that anybody can read: what is sealed can be seen in tests. */
export const glassBox: SecretBox = {
  seal: (plain) => `enc:1:glass:${plain}`,
  open: (sealed) => sealed.replace('enc:1:glass:', ''),
  digest: (plain) => `digest of ${plain}`
}

/** A plan whose columns are recognised by their headers. */
export function planOf(
  type: RecordType,
  headers: string[],
  options: Partial<ImportOptions> = {}
): ImportPlan {
  return compilePlan({
    types: builtinTypes,
    type,
    headers,
    mapping: suggestMapping(headers, type),
    options: completeOptions(type, options),
    secrets: glassBox
  })
}

/** A row of the file as the parser hands it on. */
export function rawRow(...cells: string[]) {
  return { row: 1, line: 2, offset: 40, cells, problems: null }
}

/** The row with these cells, resolved. */
export function resolvedRow(plan: ImportPlan, ...cells: string[]): ResolvedRow {
  return resolveRow(plan, rawRow(...cells))
}

/** A row that has these values, whatever its cells. */
export function rowOf(values: RecordData, more: Partial<ResolvedRow> = {}): ResolvedRow {
  return {
    raw: rawRow(),
    id: null,
    values,
    problems: null,
    rejected: false,
    missing: null,
    isSample: false,
    waits: false,
    hash: 1,
    ...more
  }
}
