// Our own envelope: id, type, timestamp, account_id, sequence, data, links. It stays below 20 kB:
// what makes it too large is left out, named in `omitted`, and found under the links.

import type { EventData, EventRecord } from '../../event-data.ts'
import type { Delivery, MakeEnvelope } from './delivery.ts'

/** A body has fewer bytes than this. */
export const maxBodyBytes = 20_000

/** Builds the body; there is no signature but the usual one. */
export const standardEnvelope: MakeEnvelope = (delivery) => ({
  headers: {},
  body: firstThatFits(stages.map((stage) => () => bodyOf(delivery, stage)))
})

/** The first text that is small enough, else the last one: each stage leaves out more. */
export function firstThatFits(stages: (() => string)[]): string {
  let text = ''
  for (const stage of stages) {
    text = stage()
    if (Buffer.byteLength(text) < maxBodyBytes) break
  }
  return text
}

/** What is left out of records, by stage; `import` is cut down at the last one only. */
const stages: (keyof EventRecord)[][] = [
  [],
  ['values'],
  ['values', 'changed_fields'],
  ['values', 'changed_fields', 'title', 'organization', 'actor'],
  ['values', 'changed_fields', 'title', 'organization', 'actor', 'external_ids']
]

function bodyOf({ event, sequence, publicUrl }: Delivery, omitted: (keyof EventRecord)[]): string {
  const { id, type, timestamp, account_id, data, links } = event
  const record = data.records && { record: `${publicUrl ?? ''}/records/{record_id}` }
  return JSON.stringify({
    id,
    type,
    timestamp,
    account_id,
    sequence,
    data: omitted.length === 0 ? data : cutDown(data, omitted),
    links: { ...links, ...record }
  })
}

function cutDown(data: EventData, omitted: (keyof EventRecord)[]): EventData {
  if (data.records) {
    const records = data.records.map((record) => without(record, omitted))
    return { ...data, records, omitted } as EventData
  }
  if (omitted.length < (stages.at(-1) as string[]).length) return data
  const { import: job } = data
  if (!job) return { omitted: Object.keys(data) }
  const kept = Object.entries(job).filter(([, value]) => String(JSON.stringify(value)).length < 500)
  const left = Object.keys(job).filter((key) => !kept.some(([name]) => name === key))
  return { import: { ...Object.fromEntries(kept), id: job.id }, omitted: left }
}

function without<T extends object>(value: T, keys: (keyof T)[]): Partial<T> {
  const kept = Object.entries(value).filter(([key]) => !keys.includes(key as keyof T))
  return Object.fromEntries(kept) as Partial<T>
}
