// The record types there are, by name and by number. A new built-in type is one more line here.
// What an account adds (own types, custom fields) comes from the database: store.ts.

import { desks, managers, projects } from './builtin/brokerage.ts'
import { clients } from './builtin/clients.ts'
import { configurations } from './builtin/configurations.ts'
import { contacts } from './builtin/contacts.ts'
import { customerOrganizations, customers } from './builtin/customers.ts'
import { domains } from './builtin/domains.ts'
import { customRoles, groups } from './builtin/helpdesk-lists.ts'
import * as lists from './builtin/lists.ts'
import { locations } from './builtin/locations.ts'
import { members, teams } from './builtin/members.ts'
import { organizations } from './builtin/organizations.ts'
import { passwords } from './builtin/passwords.ts'
import { sslCertificates } from './builtin/ssl-certificates.ts'
import { users } from './builtin/users.ts'
import type { RecordType } from './types.ts'

/** The record types of an account, in catalogue order. */
export interface TypeCatalogue {
  list: RecordType[]
  /** The type of that name, or undefined. */
  get(name: string): RecordType | undefined
  /** The type with that number (records.type_id), or undefined. */
  getById(type_id: number): RecordType | undefined
  /** The type of a name that is known to exist. Throws an Error when it does not: our bug. */
  require(name: string): RecordType
  /** All names, for messages. */
  names: string[]
}

/** Makes a catalogue of types. */
export function catalogueOf(list: RecordType[]): TypeCatalogue {
  const byName = new Map(list.map((type) => [type.name, type]))
  const byId = new Map(list.map((type) => [type.type_id, type]))
  return {
    list,
    names: list.map((type) => type.name),
    get: (name) => byName.get(name),
    getById: (type_id) => byId.get(type_id),
    require(name) {
      const type = byName.get(name)
      if (!type) throw new Error(`record type ${name} is referred to but not there`)
      return type
    }
  }
}

/** The types that every account has, as they come. */
export const builtinTypes: TypeCatalogue = catalogueOf([
  // IT documentation
  organizations,
  contacts,
  locations,
  configurations,
  passwords,
  domains,
  sslCertificates,
  // helpdesk
  users,
  groups,
  customRoles,
  lists.brands,
  // project desk
  members,
  teams,
  customers,
  customerOrganizations,
  // brokerage
  clients,
  projects,
  desks,
  managers,
  // lists
  lists.organizationTypes,
  lists.organizationStatuses,
  lists.contactTypes,
  lists.configurationTypes,
  lists.configurationStatuses,
  lists.manufacturers,
  lists.models,
  lists.operatingSystems,
  lists.passwordCategories
])

/** The names of the types for a message: the first of them when there are many. */
export function shownNames({ names }: TypeCatalogue): string {
  return names.length > 50 ? `${names.slice(0, 50).join(', ')}, and more` : names.join(', ')
}
