// What is wrong with a definition, collected so that one answer lists everything. Pure.

import { appError } from '../errors.ts'
import type { Fault } from '../platform/http-schemas.ts'

/** Takes faults: where (`body/fields/3/name`) and what. */
export interface Faults {
  list: Fault[]
  add(path: string, message: string): void
}

export function collectFaults(): Faults {
  const list: Fault[] = []
  return { list, add: (path, message) => void list.push({ path, message }) }
}

const maxSentences = 10

/** Throws type_invalid when there is any fault; `details.faults` has all of them. */
export function refuseFaults({ list }: Faults): void {
  if (list.length === 0) return
  const told = list.slice(0, maxSentences).map(({ path, message }) => `${path} ${message}`)
  if (list.length > told.length) told.push(`and ${list.length - told.length} more`)
  throw appError('type_invalid', { reason: `${told.join('; ')}.` }, { details: { faults: list } })
}
