// Secrets of a record: sealed on their way in, compared without being changed for nothing.

import { type Field, isSensitive, type Json, type RecordData } from '../../record-types/types.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { SecretBox } from '../terms.ts'

// How everything that is sealed begins.
const sealMark = 'enc:1:'
const sealedText = /^enc:1:[\w-]{1,32}:[\w-]+$/

/** The values with their secrets sealed; the same object when there are none. */
export function sealValues(plan: ImportPlan, values: RecordData): RecordData {
  if (!plan.sealsCells) return values
  const sealed = { ...values }
  for (const name in values) {
    const field = plan.fields.get(name)
    const value = values[name]
    if (field && isSensitive(field) && typeof value === 'string') {
      sealed[name] = plan.secrets.seal(value)
    }
  }
  return sealed
}

/** Whether a stored secret is the one in the cell. */
export function sameSecret(
  plan: ImportPlan,
  field: Field,
  was: Json | undefined,
  now: Json
): boolean {
  if (!isSensitive(field) || typeof was !== 'string' || typeof now !== 'string') return false
  // A value from before its field became a secret is sealed by the next change.
  return was.startsWith(sealMark) && openValue(plan, was) === now
}

/** A stored secret in the clear. */
export function openValue({ secrets }: ImportPlan, value: Json): Json {
  return typeof value === 'string' && value.startsWith(sealMark) ? secrets.open(value) : value
}

/** The cells of a row as they may be kept: sealed where the type has secrets. A row that could not
 *  be split may have its secret in any cell. */
export function keptCells(plan: ImportPlan, cells: string[]): string[] {
  if (!plan.sealsCells) return cells
  return cells.map((cell) => (cell === '' ? cell : plan.secrets.seal(cell)))
}

/** Whether kept cells are sealed: then all of them are. The type may have had no secrets, or others,
 *  when they were kept. */
export function areSealed(cells: string[]): boolean {
  return cells.every((cell) => cell === '' || sealedText.test(cell))
}

/** A sealed cell as it is in the file; a blank one is blank. */
export function openCell(secrets: SecretBox, cell: string): string {
  return cell === '' ? '' : secrets.open(cell)
}

/** Kept cells as they are in the file. Throws secret_key_missing, secret_unreadable. */
export function openCells(
  { sealsCells, secrets }: Pick<ImportPlan, 'sealsCells' | 'secrets'>,
  cells: string[]
): string[] {
  if (!areSealed(cells)) return cells
  try {
    return cells.map((cell) => openCell(secrets, cell))
  } catch (error) {
    // Somebody typed what looks sealed, into a file of a type without secrets.
    if (sealsCells) throw error
    return cells
  }
}
