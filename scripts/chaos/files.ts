// The files that are sent: rows whose keys are the same in every file of a type, so that whatever is
// written twice meets itself, and one cell that says which file wrote it. Pure.

/** The types, the column that tells records of each apart, and the one that names the file. */
export const fileTypes = {
  contacts: { key: 'external_id', tag: 'title' },
  organizations: { key: 'name', tag: 'description' },
  locations: { key: 'external_id', tag: 'city' },
  domains: { key: 'name', tag: 'registrar' }
} as const
export type FileType = keyof typeof fileTypes

export interface ChaosFile {
  type: FileType
  /** What the tag column says in every row; no other file of any account says it. */
  tag: string
  csv: string
  /** What the key column says, by row. */
  keys: string[]
  /** The organizations that its rows are in. */
  organizations: string[]
}

const organizationCount = 40
const organizationOf = (i: number) => `Organization ${i % organizationCount}`

const rowMakers: Record<FileType, { header: string; row: (i: number, tag: string) => string[] }> = {
  contacts: {
    header: 'external_id,organization,first_name,last_name,emails,title',
    row: (i, tag) => [`c-${i}`, organizationOf(i), 'Ann', `Lee ${i}`, `ann${i}@example.com`, tag]
  },
  organizations: { header: 'name,description', row: (i, tag) => [organizationOf(i), tag] },
  locations: {
    header: 'external_id,organization,name,city',
    row: (i, tag) => [`l-${i}`, organizationOf(i), `Site ${i}`, tag]
  },
  domains: {
    header: 'name,organization,registrar',
    row: (i, tag) => [`host-${i}.example`, organizationOf(i), tag]
  }
}

/** A file with the rows of the numbers from `from` to below `to`. */
export function makeFile(type: FileType, tag: string, from: number, to: number): ChaosFile {
  const { header, row } = rowMakers[type]
  const end = type === 'organizations' ? Math.min(to, from + organizationCount) : to
  const keyAt = header.split(',').indexOf(fileTypes[type].key)
  const rows = Array.from({ length: end - from }, (_, i) => row(from + i, tag))
  return {
    type,
    tag,
    csv: `${header}\n${rows.map((cells) => `${cells.join(',')}\n`).join('')}`,
    keys: rows.map((cells) => cells[keyAt] ?? ''),
    organizations: [...new Set(rows.map((_, i) => organizationOf(from + i)))]
  }
}

/** Eight files over the same keys: four of contacts, the others of types that name the same
 *  organizations. Half of the keys of a round are those of the round before. */
export function filesOfRound(account: number, round: number, rows: number): ChaosFile[] {
  const from = round * Math.ceil(rows / 2)
  const small = Math.ceil(rows / 4)
  const parts: [FileType, number, number][] = [
    ['contacts', from, from + rows],
    ['organizations', 0, rows],
    ['locations', from, from + small],
    ['contacts', from, from + rows],
    ['domains', from, from + small],
    ['contacts', from + Math.ceil(rows / 2), from + rows],
    ['locations', from, from + small],
    ['contacts', from, from + rows]
  ]
  return parts.map(([type, a, b], i) => makeFile(type, `a${account}-r${round}-f${i}`, a, b))
}
