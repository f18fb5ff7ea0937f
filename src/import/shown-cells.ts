// The kept cells of a row as they may be shown. Where the type had secrets when the row was read, all
// its cells are stored sealed; types change, so what is stored decides, not what the type is now.
// In: an import and who asks. Out: a function from stored cells to those to show.
// Called for rejects.csv.

import type { Db } from '../platform/db.ts'
import { listPastSecrets } from '../record-types/store.ts'
import { isSensitive, type RecordType } from '../record-types/types.ts'
import { areSealed, openCell } from './decide/secret-values.ts'
import type { ImportRow } from './import-row.ts'
import type { Problem, SecretBox } from './terms.ts'

export interface CellAccess {
  secrets: SecretBox
  /** Whether the caller's key may read secrets. */
  readsSecrets: boolean
  /** Called when such a key is about to get cells that may hold secrets. */
  onSecrets(): void
}

/** Whose cells; `type` undefined: the account has it no more. */
interface CellPlace {
  account_id: number
  import: ImportRow
  type: RecordType | undefined
}

type ShowCells = (cells: string[], problems: Problem[]) => string[]

// Of a row that could not be split rightly nobody knows which cell is which.
const unsplit = new Set([
  'column_count',
  'stray_quote',
  'open_quote',
  'row_too_large',
  'encoding_invalid_row',
  'nul_byte'
])

/** How the cells of this import's rows are shown; secrets, and cells that may be some, are blank for
 *  who may not read them. What it gives out throws secret_key_missing, secret_unreadable. */
export async function shownCells(
  db: Db,
  { account_id, import: { type: name, mapping }, type }: CellPlace,
  { secrets, readsSecrets, onSecrets }: CellAccess
): Promise<ShowCells> {
  const past = await listPastSecrets(db, account_id, { name, type_id: type?.type_id ?? null })
  const now = type?.fields.filter(isSensitive).map((field) => field.name) ?? []
  const secret = new Set([...past, ...now])
  // Never a secret: never sealed, whatever the cells look like.
  if (secret.size === 0) return (cells) => cells
  const open = (cell: string) => openCell(secrets, cell)
  if (readsSecrets) {
    onSecrets()
    return (cells) => (areSealed(cells) ? cells.map(open) : cells)
  }
  const known = new Set(type?.fields.map((field) => field.name))
  const isSecret = (field: string | null | undefined) => secret.has(field ?? '')
  // A column that no field explains may have been one of secrets.
  const isUnknown = (field: string | null | undefined) => !known.has(field ?? '')
  return (cells, problems) => {
    const sealed = areSealed(cells)
    const isWhole = !problems.some(({ code }) => unsplit.has(code))
    if (!isWhole && (sealed || mapping.some(isSecret))) return cells.map(() => '')
    return cells.map((cell, index) => {
      const field = mapping[index]
      if (isSecret(field) || (sealed && isUnknown(field))) return ''
      return sealed ? open(cell) : cell
    })
  }
}
