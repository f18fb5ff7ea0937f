// What all rows of a generated file share: the variant, the organizations, which rows differ.
// Called by make-csv.ts and by the files that make rows.

/** base: the file; changed: the same rows, every second one with other values outside of its keys;
 *  bad: the same rows, one in a hundred cannot be imported. */
export const variants = ['base', 'changed', 'bad'] as const
export type Variant = (typeof variants)[number]

const organizationWords =
  'Alder,Beacon,Cedar,Delta,Ember,Falcon,Granite,Harbor,Iris,Juniper,Keystone,Lumen'.split(',')
const organizationKinds = 'Dental,Foods,Health,Legal,Logistics,Motors,Partners,Schools'.split(',')

/** What stays the same over a file. `nextMember[o]` counts the rows organization o has so far. */
export interface Recipe {
  seed: number
  variant: Variant
  organizations: string[]
  nextMember: Int32Array
}

/** Prepares a file of about `rows` rows: one organization for every 200 rows, 500 at most. */
export function createRecipe(rows: number, variant: Variant, seed: number): Recipe {
  const count = Math.min(500, Math.max(1, Math.ceil(rows / 200)))
  const organizations = Array.from({ length: count }, (_, index) => organizationName(index))
  return { seed, variant, organizations, nextMember: new Int32Array(count) }
}

/** The domain of an organization's mail addresses and devices. */
export function organizationHost(index: number): string {
  const word = organizationWords[index % organizationWords.length] as string
  return `${word.toLowerCase()}-${index + 1}.example`
}

/** The number of the organization's next row, counted on. Rows must be made in their order. */
export function takeMember({ nextMember }: Recipe, organization: number): number {
  const member = nextMember[organization] as number
  nextMember[organization] = member + 1
  return member
}

function organizationName(index: number): string {
  const word = organizationWords[index % organizationWords.length]
  const kind = organizationKinds[Math.floor(index / 12) % organizationKinds.length]
  const ending = index % 9 === 4 ? ', LLC' : ''
  return `${word} ${kind} ${String(index + 1).padStart(3, '0')}${ending}`
}

/** Whether the row differs between base and changed: every second one. */
export const isChangedRow = (row: number) => row % 2 === 0
/** Whether the row is broken in the variant bad: one in a hundred. */
export const isBadRow = (row: number) => row % 100 === 37
