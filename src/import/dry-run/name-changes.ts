// Changes as a dry run stores them -> as the API shows them: references with the titles that their
// records have now, in the order of the type's fields. Called by list-rows.ts, page by page.

import type { Db } from '../../platform/db.ts'
import type { Json, RecordData } from '../../record-types/types.ts'
import { showChanges } from '../../records/history/shown-values.ts'
import type { OrganizationPlace } from '../../records/organizations.ts'
import type { ShownChanges } from './terms.ts'

/** By field; of references ids with titles. */
export type NamedChanges = Record<string, { from: unknown; to: unknown }>

/** Names what the changes refer to: one statement for each type, whatever their number. Nothing is
 *  named where the type is gone. Out: in the same order; null where there are none. */
export async function nameChanges(
  db: Db,
  place: Omit<OrganizationPlace, 'type'> & { type: OrganizationPlace['type'] | undefined },
  all: (ShownChanges | null)[]
): Promise<(NamedChanges | null)[]> {
  const { type } = place
  if (type === undefined || all.every((one) => one === null)) return all
  const shown = await showChanges(
    db,
    { ...place, type },
    all.map((changes) => ({ before: side(changes, 'from'), after: side(changes, 'to') }))
  )
  return all.map((changes, index) => {
    if (changes === null) return null
    const fields = shown[index] ?? []
    return Object.fromEntries(
      fields.map(({ field, before: from, after: to }) => [field, { from, to }])
    )
  })
}

function side(changes: ShownChanges | null, name: 'from' | 'to'): RecordData {
  return Object.fromEntries(Object.entries(changes ?? {}).map(([field, one]) => [field, one[name]]))
}

/** The changes as text for a cell: `title: Agent -> Manager; notes: -> new`. */
export function changesText(changes: NamedChanges | null): string {
  const texts = Object.entries(changes ?? {}).map(
    ([field, { from, to }]) => `${field}:${spaced(valueText(from))} ->${spaced(valueText(to))}`
  )
  return texts.join('; ')
}

const spaced = (text: string) => (text === '' ? '' : ` ${text}`)

function valueText(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.map(valueText).join(' | ')
  const { id, title, new: made, secret } = value as Record<string, Json>
  if (secret === true) return '(secret)'
  if (made !== undefined) return `${made} (new)`
  return id === undefined ? JSON.stringify(value) : `${title ?? ''} (${id})`
}
