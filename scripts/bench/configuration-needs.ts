// What generated configurations refer to and no import of them creates: the sites and people of
// their organizations. Out: small CSV files, imported before the clock starts.
// Called by files.ts; configuration-row.ts names the same sites and people.

import { csvLine } from './csv-line.ts'
import { addressOf, nameOf } from './people.ts'
import type { Recipe } from './recipe.ts'

export const locationNames = ['Head Office', 'Warehouse', 'Branch Office']

const peoplePerOrganization = 20

interface Person {
  first: string
  last: string
  email: string
}

/** One of the organization's people; any number will do. */
export function personOf(organization: number, number: number): Person {
  const [first, last] = nameOf(organization, number % peoplePerOrganization)
  return { first, last, email: addressOf(organization, first, last).toLowerCase() }
}

/** One CSV per record type, in the order in which they are to be imported. */
export function neededFiles({ organizations }: Recipe): { type: string; csv: string }[] {
  const locations = [['organization', 'name']]
  const contacts = [['organization', 'first_name', 'last_name', 'emails']]
  for (const [index, organization] of organizations.entries()) {
    for (const name of locationNames) locations.push([organization, name])
    for (let number = 0; number < peoplePerOrganization; number++) {
      const { first, last, email } = personOf(index, number)
      contacts.push([organization, first, last, email])
    }
  }
  return [
    { type: 'locations', csv: locations.map(csvLine).join('') },
    { type: 'contacts', csv: contacts.map(csvLine).join('') }
  ]
}
