// What restoring a version would set. Pure.
// In: the record as it is, its values in the version, which fields are wanted. Out: values to set.
// Called by restore-record.ts.

import { isDeepStrictEqual } from 'node:util'
import { isSealed, type Secrets } from '../../platform/secrets.ts'
import {
  type Field,
  isSensitive,
  type Json,
  type RecordData,
  type RecordType
} from '../../record-types/types.ts'
import { openValue } from '../read-secrets.ts'

/** The fields that differ, with the values of the version; null: the field is cleared. Fields that the
 *  type has no more stay as they are. Throws secret_key_missing. */
export function planRestore(
  type: RecordType,
  secrets: Secrets,
  { now, then }: { now: RecordData; then: RecordData },
  fields: string[] | undefined
): RecordData {
  const set: RecordData = {}
  for (const field of type.fields) {
    const { name } = field
    if (fields && !fields.includes(name)) continue
    const value = then[name] ?? null
    if (isSame(field, secrets, now[name] ?? null, value)) continue
    set[name] = isSensitive(field) ? sealValue(secrets, value) : value
  }
  return set
}

/** Whether two values of a field are the same; two seals of one secret are. Throws secret_key_missing. */
export function isSame(field: Field, secrets: Secrets, now: Json, then: Json): boolean {
  if (isDeepStrictEqual(now, then)) return true
  if (!isSensitive(field) || now === null || then === null) return false
  return isDeepStrictEqual(openValue(secrets, now), openValue(secrets, then))
}

/** A secret under the current key. What history has may be under an older one that is about to go,
 *  or plain: stored before its field became sensitive. */
export function sealValue(secrets: Secrets, value: Json): Json {
  if (Array.isArray(value)) return value.map((one) => sealValue(secrets, one))
  if (typeof value !== 'string' || value.startsWith(`enc:1:${secrets.currentKeyId}:`)) return value
  return secrets.seal(isSealed(value) ? secrets.open(value) : value)
}
