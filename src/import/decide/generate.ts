// Values that we make up for a new record that brings none: ids, user names, times.

import { createHash, randomBytes } from 'node:crypto'
import type { Field, Json, RecordData, RecordType } from '../../record-types/types.ts'

/** The generated values that `data` lacks. `now`: when the record is made; `generated`: values that
 *  were made up for it before. */
export function generateValues(
  type: RecordType,
  data: RecordData,
  { now, generated = {} }: { now: Date; generated?: RecordData | undefined }
): RecordData {
  const made: RecordData = {}
  for (const field of type.fields) {
    if (field.generated === undefined || data[field.name] !== undefined) continue
    const value = generated[field.name] ?? generate(field, data, now)
    if (value !== undefined) made[field.name] = value
  }
  return made
}

function generate(field: Field, data: RecordData, now: Date): Json | undefined {
  switch (field.generated) {
    case 'hex24':
      return randomBytes(12).toString('hex')
    case 'now':
      return field.kind === 'date' ? now.toISOString().slice(0, 10) : now.toISOString()
    case 'username':
      return userName(data)
    default:
      return undefined
  }
}

/** From the e-mail address: what stands before the @, and four letters that tell it from others. */
function userName({ email }: RecordData): string | undefined {
  if (typeof email !== 'string') return undefined
  const folded = email.toLowerCase()
  const mark = createHash('sha256').update(folded).digest('hex').slice(0, 4)
  return `${folded.slice(0, folded.indexOf('@'))}-${mark}`
}
