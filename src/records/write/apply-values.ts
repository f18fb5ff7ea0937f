// The values of a record and what is to be set -> the record afterwards. Pure.
// Called by write-values.ts, and by whoever wants to know beforehand what a change would make.

import { isDeepStrictEqual } from 'node:util'
import type { RecordData, RecordType } from '../../record-types/types.ts'
import type { RecordRow } from '../store.ts'

/** A record as it would be with the values: whole data without nulls, the organization it belongs to
 *  then, and the names of the fields that really change. Pure. */
export function applyValues(
  type: RecordType,
  { data, organization_id }: Pick<RecordRow, 'data' | 'organization_id'>,
  set: RecordData
): { data: RecordData; organization_id: number | null; changed: string[] } {
  const changed = Object.keys(set).filter(
    (name) => !isDeepStrictEqual(data[name] ?? null, set[name] ?? null)
  )
  const after = { ...data }
  for (const name of changed) {
    const value = set[name] ?? null
    if (value === null) delete after[name]
    else after[name] = value
  }
  const { organization_field } = type
  if (organization_field === null || !changed.includes(organization_field)) {
    return { data: after, organization_id, changed }
  }
  const moved = after[organization_field]
  return { data: after, organization_id: typeof moved === 'number' ? moved : null, changed }
}
