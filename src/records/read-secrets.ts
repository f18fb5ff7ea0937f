// Secrets of records, readable again: the one way out, besides an export that asks for them.
// In: who asks and which record. Out: plain values of its sensitive fields. Called by routes.ts and
// export-csv.ts.

import { appError } from '../errors.ts'
import type { Db } from '../platform/db.ts'
import { isSealed, type Secrets } from '../platform/secrets.ts'
import { isSensitive, type Json, type RecordData } from '../record-types/types.ts'
import { findRecord } from './list-records.ts'

/** Who is asking. */
export interface SecretReader {
  account_id: number
  reads_secrets: boolean
}

/** Throws forbidden unless the key may read secrets. */
export function requireSecretReader({ reads_secrets }: SecretReader): void {
  if (reads_secrets) return
  const reason =
    'This API key may not read secrets. `muster keys create --name <name> --secrets` makes one that may.'
  throw appError('forbidden', { reason })
}

/** The sensitive values of a record by field, in the type's order; those it lacks are absent.
 *  Throws forbidden, record_not_found, secret_key_missing. */
export async function readSecrets(
  db: Db,
  secrets: Secrets,
  reader: SecretReader,
  id: number
): Promise<RecordData> {
  const { type, row } = await findRecord(db, reader.account_id, id)
  requireSecretReader(reader)
  const plain: RecordData = {}
  for (const field of type.fields.filter(isSensitive)) {
    const value = row.data[field.name]
    if (value !== undefined) plain[field.name] = openValue(secrets, value)
  }
  return plain
}

/** A stored value of a sensitive field in plain. What was stored before the field was made
 *  sensitive is as it is. */
export function openValue(secrets: Secrets, value: Json): Json {
  if (Array.isArray(value)) return value.map((one) => openValue(secrets, one))
  return isSealed(value) ? secrets.open(value) : value
}
