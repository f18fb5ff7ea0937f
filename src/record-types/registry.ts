// The record types there are, by name and by number. A new built-in type is one more line here.

import { contacts } from './builtin/contacts.ts'
import { contactTypes, organizationStatuses, organizationTypes } from './builtin/lists.ts'
import { organizations } from './builtin/organizations.ts'
import type { RecordType } from './types.ts'

const builtinTypes: RecordType[] = [
  organizations,
  contacts,
  organizationTypes,
  organizationStatuses,
  contactTypes
]

const byName = new Map(builtinTypes.map((type) => [type.name, type]))
const byId = new Map(builtinTypes.map((type) => [type.type_id, type]))

/** The record type of that name, or undefined. */
export function getRecordType(name: string): RecordType | undefined {
  return byName.get(name)
}

/** The record type with that number (records.type_id), or undefined. */
export function getRecordTypeById(type_id: number): RecordType | undefined {
  return byId.get(type_id)
}

/** The record type of a name that is known to exist. Throws an Error when it does not: our bug. */
export function requireRecordType(name: string): RecordType {
  const type = byName.get(name)
  if (!type) throw new Error(`record type ${name} is referred to but not registered`)
  return type
}

/** Names of all record types, in catalogue order. */
export function recordTypeNames(): string[] {
  return builtinTypes.map((type) => type.name)
}

/** All record types, in catalogue order. */
export function listRecordTypes(): RecordType[] {
  return builtinTypes
}
