// The kept cells of a row as they may be shown: where the type has secrets they are stored sealed,
// and only a key that may read secrets gets all of them. Called for rejects.csv.

import type { TypeCatalogue } from '../record-types/registry.ts'
import { isSensitive } from '../record-types/types.ts'
import type { ImportRow } from './store.ts'
import type { Problem, SecretBox } from './terms.ts'

export interface CellAccess {
  types: TypeCatalogue
  secrets: SecretBox
  /** Whether the caller's key may read secrets. */
  readsSecrets: boolean
}

// Of a row that could not be split rightly nobody knows which cell is which.
const unsplit = new Set([
  'column_count',
  'stray_quote',
  'open_quote',
  'row_too_large',
  'encoding_invalid_row',
  'nul_byte'
])

/** How the cells of this import's rows are shown; secrets, and cells that may be some, are blank. */
export function shownCells(
  { type, mapping }: ImportRow,
  { types, secrets, readsSecrets }: CellAccess
): (cells: string[], problems: Problem[]) => string[] {
  const fields = new Map(types.get(type)?.fields.map((field) => [field.name, field]))
  if (![...fields.values()].some(isSensitive)) return (cells) => cells
  const open = (cell: string) => (cell === '' ? '' : secrets.open(cell))
  if (readsSecrets) return (cells) => cells.map(open)
  const isShown = (index: number) => {
    const name = mapping[index] ?? null
    const field = fields.get(name ?? '')
    return name !== null && !(field && isSensitive(field))
  }
  return (cells, problems) => {
    if (problems.some(({ code }) => unsplit.has(code))) return cells.map(() => '')
    return cells.map((cell, index) => (isShown(index) ? open(cell) : ''))
  }
}
