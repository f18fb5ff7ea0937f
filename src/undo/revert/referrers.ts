// Which records refer to those that an undo may take away. There is no index of references: one scan
// of the types that can refer finds them all, and what is found stands as long as nobody else writes
// these types. Memory: 16 bytes for each reference found.

import type { Tx } from '../../platform/db.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import type { RecordType } from '../../record-types/types.ts'
import { createIdSet, type IdSet } from './id-set.ts'

/** Records between two ids, of one type. */
export interface IdRange {
  type_id: number
  from: number
  to: number
}

export interface Referrers {
  size: number
  of(id: number): number[]
  /** Notes what the undo itself has written: a record that is gone, or refers to these now. */
  note(id: number, references: number[]): void
}

/** Reads all references to records in the ranges: one statement. Needs the turns of the types. */
export async function findReferrers(
  tx: Tx,
  account_id: number,
  types: TypeCatalogue,
  ranges: IdRange[]
): Promise<Referrers> {
  const places = placesOf(types, ranges)
  if (places.length === 0) return createReferrers([], ranges)
  const { rows } = await tx.query<[number, number]>({
    text: `/* undo.find_referrers */
    SELECT v.value::bigint, r.id
    FROM unnest($2::smallint[], $3::text[], $4::bigint[], $5::bigint[]) AS p (type_id, field, lo, hi)
    JOIN records r ON r.account_id = $1::integer AND r.type_id = p.type_id
    CROSS JOIN LATERAL jsonb_array_elements_text(CASE jsonb_typeof(r.data -> p.field)
      WHEN 'array' THEN r.data -> p.field
      WHEN 'number' THEN jsonb_build_array(r.data -> p.field)
      ELSE '[]'
    END) AS v (value)
    WHERE v.value ~ '^[0-9]{1,15}$'
      AND v.value::bigint BETWEEN p.lo AND p.hi`,
    values: [
      account_id,
      places.map(({ type }) => type.type_id),
      places.map(({ field }) => field),
      places.map(({ range }) => range.from),
      places.map(({ range }) => range.to)
    ],
    rowMode: 'array'
  })
  return createReferrers(rows, ranges)
}

interface Place {
  type: RecordType
  field: string
  range: IdRange
}

/** The fields that can refer to records in the ranges. */
function placesOf(types: TypeCatalogue, ranges: IdRange[]): Place[] {
  return types.list.flatMap((type) =>
    type.fields.flatMap(({ name: field, reference }) => {
      if (!reference) return []
      const { type_id } = types.require(reference.type)
      return ranges
        .filter((one) => one.type_id === type_id)
        .map((range) => ({ type, field, range }))
    })
  )
}

function createReferrers(edges: [number, number][], ranges: IdRange[]): Referrers {
  edges.sort((a, b) => a[0] - b[0])
  const referred = Float64Array.from(edges, ([id]) => id)
  const referring = Float64Array.from(edges, ([, id]) => id)
  // What the undo has written itself: what was found of these records is void.
  const written: IdSet = createIdSet()
  const later = new Map<number, number[]>()
  return {
    size: edges.length,
    of(id) {
      const found: number[] = []
      for (let i = firstAt(referred, id); referred[i] === id; i++) {
        const other = referring[i] as number
        if (!written.has(other)) found.push(other)
      }
      for (const other of later.get(id) ?? []) found.push(other)
      return found
    },
    note(id, references) {
      if (written.has(id)) {
        for (const [key, ids] of later)
          later.set(
            key,
            ids.filter((one) => one !== id)
          )
      }
      written.add(id)
      for (const one of references) {
        if (!ranges.some(({ from, to }) => from <= one && one <= to)) continue
        later.set(one, [...(later.get(one) ?? []), id])
      }
    }
  }
}

/** Place of the first number that is not smaller. */
function firstAt(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}
