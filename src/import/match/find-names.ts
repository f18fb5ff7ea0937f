// The names of one reference field -> the ids they fit. One statement per rule for a whole batch.
// Called by resolve-references.ts; what is found is put into the memory of the field's names.

import type { MatchRule } from '../../record-types/types.ts'
import { fetchRecords, probeKeys } from './probe-keys.ts'
import {
  externalPrefix,
  idOfText,
  isExplicit,
  keyOfName,
  type ReferenceNames,
  type ReferencePlace,
  type ScopedName
} from './reference-names.ts'

/** Looks names up: by the field's rules, and by id where they are numbers. */
export async function findNames(
  place: ReferencePlace,
  names: ReferenceNames,
  unknown: ScopedName[]
): Promise<void> {
  const { type, rule, also, ids } = names
  for (const { name } of unknown) ids.set(name, [])
  const external = type.match_rules.find((one) => one.name === 'external_id')
  const byExternal = external ? unknown.filter(({ text }) => text.startsWith(externalPrefix)) : []
  const byName = unknown.filter((one) => !isExplicit(one.text) && !byExternal.includes(one))
  await probe(place, names, rule, byName)
  if (also)
    await probe(
      place,
      names,
      also,
      byName.filter(({ name }) => !ids.get(name)?.length)
    )
  if (external) {
    const bare = byExternal.map((one) => ({ ...one, text: one.text.slice(externalPrefix.length) }))
    await probe(place, names, external, bare)
  }
  await probeIds(place, names, unknown)
}

async function probe(
  { tx, account_id }: ReferencePlace,
  names: ReferenceNames,
  rule: MatchRule,
  wanted: ScopedName[]
): Promise<void> {
  const { type, ids } = names
  const keys = new Map<string, string>()
  for (const one of wanted) {
    // Without the record inside which it is unique, a name says nothing.
    if (one.scope === null && rule.scope !== 'account') continue
    const key = keyOfName(names, rule, one)
    if (key !== '') keys.set(one.name, key)
  }
  const found = await probeKeys(tx, { account_id, type_id: type.type_id, rule: rule.code }, [
    ...new Set(keys.values())
  ])
  for (const [name, key] of keys) {
    const hits = found.get(key)
    if (hits) ids.set(name, [...hits])
  }
}

/** A number is an id as well; one that is also the name of another record fits both. */
async function probeIds(
  { tx, account_id }: ReferencePlace,
  { type, rule, within, ids }: ReferenceNames,
  unknown: ScopedName[]
): Promise<void> {
  const wanted = unknown.flatMap((one) => {
    const id = idOfText(one.text)
    return id === null ? [] : [{ ...one, id }]
  })
  const place = { account_id, type_id: type.type_id }
  const records = await fetchRecords(
    tx,
    place,
    wanted.map((one) => one.id),
    []
  )
  const byId = new Map(records.map((record) => [record.id, record]))
  for (const { name, id, scope, text } of wanted) {
    const record = byId.get(id)
    if (!record) continue
    const inside =
      typeof rule.scope === 'object' ? record.data?.[rule.scope.field] : record.organization_id
    // A record outside of what the row says is not meant by a bare number.
    if (within !== null && scope !== null && inside !== scope && !isExplicit(text)) continue
    const others = ids.get(name) ?? []
    if (!others.includes(id)) ids.set(name, [...others, id])
  }
}
