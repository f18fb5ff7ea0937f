// The content of one generated contact: row number in, 12 cells out, the same on every machine.
// Every row has a random stream of its own, so any row can be made without the rows before it,
// and the variants of a file agree on everything that the variant does not change.
// Called by row-types.ts.

import { addressOf, nameOf } from './people.ts'
import { below, pick, type Stream, streamOf } from './random.ts'
import { isBadRow, isChangedRow, type Recipe, takeMember } from './recipe.ts'

export const contactColumns = [
  'external_id',
  'organization',
  'first_name',
  'last_name',
  'title',
  'contact_type',
  'important',
  'emails',
  'phones',
  'notes',
  'tags',
  'archived'
]

const titles = (
  'Accountant,Account Manager,Administrator,Analyst,Chief Executive Officer,Controller,Developer,' +
  'Director of Operations,Engineer,Facilities Manager,Head of IT,Human Resources Manager,' +
  'Legal Counsel,Marketing Manager,Office Manager,Project Manager,Purchasing Agent,' +
  'Sales Representative,Security Officer,Support Technician,Systems Administrator,Vice President'
).split(',')

const contactTypes = 'Decision maker,End user,Technical,Billing,Executive,Vendor'.split(',')
const tags = 'vip,newsletter,onboarding,renewal,partner,beta,remote,event-2024'.split(',')
const areaCodes = '201,206,212,213,214,303,305,312,404,415,512,602,617,702,713,718,801,917'.split(
  ','
)

const notes = (
  'Prefers to be called in the afternoon.|Speaks Spanish and French.|Has a company phone.|' +
  'Works from the Denver office on Mondays and Tuesdays.|Signed the new contract in May.|' +
  'Was moved here from the old tenant together with the whole department.|' +
  'Asked for a second monitor and a docking station.|On parental leave until autumn.|' +
  'Approves purchases up to 5000.|Needs access to the shared drive of the finance team.'
).split('|')

/** The cells of row `row` (1-based). Rows must be asked for in order: names inside an organization
 *  are numbered, so that no two people of one organization have the same name. */
export function contactRow(recipe: Recipe, row: number): string[] {
  const stream = streamOf(recipe.seed, row, 0)
  const organization = below(stream, recipe.organizations.length)
  const [first, last] = nameOf(organization, takeMember(recipe, organization))
  const cells = [
    `c-${String(row).padStart(6, '0')}`,
    recipe.organizations[organization] as string,
    first,
    last,
    below(stream, 12) === 0 ? '' : pick(stream, titles),
    pick(stream, contactTypes),
    below(stream, 10) === 0 ? 'true' : 'false',
    emailsOf(stream, row, organization, first, last),
    phonesOf(stream),
    notesOf(stream),
    tagsOf(stream),
    below(stream, 40) === 0 ? 'true' : 'false'
  ]
  if (recipe.variant === 'changed' && isChangedRow(row)) change(recipe, cells, row)
  if (recipe.variant === 'bad' && isBadRow(row)) spoil(cells, row)
  return cells
}

function emailsOf(s: Stream, row: number, organization: number, first: string, last: string) {
  const address = addressOf(organization, first, last)
  const main = below(s, 20) === 0 ? address : address.toLowerCase()
  return below(s, 5) === 0 ? `${main}|user${row}@mail.example` : main
}

// Exchange 555 is given to nobody; the numbers differ from row to row as real ones do.
const phone = (s: Stream) =>
  `+1${pick(s, areaCodes)}555${String(below(s, 10_000)).padStart(4, '0')}`

function phonesOf(s: Stream): string {
  const kind = below(s, 10)
  if (kind === 0) return ''
  return kind === 1 ? `${phone(s)}|${phone(s)}` : phone(s)
}

/** 40 % empty, 5 % with a comma, 1 % with a line break. */
function notesOf(s: Stream): string {
  const kind = below(s, 100)
  if (kind < 40) return ''
  const note = pick(s, notes)
  if (kind < 45) return `${note.slice(0, -1)}, see ticket ${below(s, 100_000)}.`
  return kind === 45 ? `${note}\n${pick(s, notes)}` : note
}

function tagsOf(s: Stream): string {
  const kind = below(s, 10)
  if (kind < 5) return ''
  const first = below(s, tags.length)
  if (kind < 8) return tags[first] as string
  return `${tags[first]},${tags[(first + 1 + below(s, tags.length - 1)) % tags.length]}`
}

/** Gives a row another title, other phones or other notes; in a third of the rows all three. */
function change(recipe: Recipe, cells: string[], row: number) {
  const stream = streamOf(recipe.seed, row, 0x5bd1e995)
  const kind = below(stream, 3)
  if (kind !== 1) {
    const at = titles.indexOf(cells[4] as string)
    cells[4] = titles[(at + 1 + below(stream, titles.length - 1)) % titles.length] as string
  }
  // 556 is no exchange of the base file, so the number is never the same by chance.
  if (kind !== 0) cells[8] = phone(stream).replace(/555(?=\d{4}$)/, '556')
  if (kind === 2) cells[9] = `Called on day ${1 + below(stream, 28)}. ${pick(stream, notes)}`
}

/** Breaks a row in one of five ways, in turn. */
function spoil(cells: string[], row: number) {
  const kind = Math.floor(row / 100) % 5
  if (kind === 0) cells[7] = 'not-an-address'
  else if (kind === 1) cells[2] = ''
  else if (kind === 2) cells.push('one cell too many')
  else if (kind === 3) cells[6] = 'perhaps'
  else cells.length = 9
}
