// The values of a record under the names of a PSA system. Pure: a record of an event and the names
// of its type in, an object out. Called by connectwise.ts and autotask.ts.

import type { EventRecord, EventReference } from '../../event-data.ts'
import type { FieldName, TypeNames } from './crosswalk.ts'

/** Translates a record. A field without a value is absent. A type without names keeps our own. */
export function translateValues(
  record: EventRecord,
  names: TypeNames | undefined
): Record<string, unknown> {
  const values: Record<string, unknown> = { ...record.values, organization: record.organization }
  if (!names) return withoutNulls(values)
  const translated: Record<string, unknown> = {}
  for (const name of names.fields) put(translated, name, values[name.field])
  return translated
}

function put(into: Record<string, unknown>, { field, to, form }: FieldName, value: unknown): void {
  const written = write(value, form, field)
  if (written === undefined || written === null) return
  const [outer = '', inner] = to.split('.')
  if (Array.isArray(written)) into[outer] = [...((into[outer] as unknown[]) ?? []), ...written]
  else if (inner === undefined) into[outer] = written
  else into[outer] = { ...(into[outer] as object), [inner]: written }
}

function write(value: unknown, form: FieldName['form'], field: string): unknown {
  if (form === 'negated') return value !== true
  if (value === undefined || value === null) return undefined
  switch (form) {
    case 'value':
      return value
    case 'date':
      return `${value}T00:00:00Z`
    case 'name':
      return (value as EventReference).title
    case 'id':
      return (value as EventReference).id
    case 'reference':
      return referenceOf(value as EventReference)
    case 'items':
      return communicationItems(value, field)
    default:
      return listOf(value)[['first', 'second', 'third'].indexOf(form)]
  }
}

/** A record referred to; its ids elsewhere are there when it has any. */
function referenceOf({ id, title, external_ids }: EventReference) {
  const isKnown = Object.keys(external_ids).length > 0
  return { id, name: title, ...(isKnown && { externalIds: external_ids }) }
}

/** E-mail addresses and phone numbers; the first of each kind is the main one. */
function communicationItems(value: unknown, field: string) {
  const name = field === 'emails' ? 'Email' : 'Phone'
  return listOf(value).map((one, index) => ({
    type: { name },
    value: one,
    defaultFlag: index === 0,
    communicationType: name
  }))
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value])

function withoutNulls(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value != null))
}
