// A webhook that came in as one line for people. Pure.

/** What `muster listen` got. */
export interface Delivered {
  /** Whether its signature fits. */
  verified: boolean
  /** Why it was refused; null: it was not. */
  fault: string | null
  headers: Record<string, string | string[] | undefined>
  /** As JSON, or as text when it is none. */
  body: unknown
}

/** Id, what happened, and to what: `evt_... import.completed: import 7, completed, 3 rows`. In any of
 *  the envelopes. */
export function deliveryLine({ verified, fault, headers, body }: Delivered): string {
  const id = String(headers['webhook-id'] ?? 'without an id')
  const mark = fault ?? (verified ? 'verified' : 'not checked')
  return `${id} ${oneLine(whatHappened(body))} [${mark}]`
}

type Part = Record<string, unknown>

function whatHappened(body: unknown): string {
  if (typeof body !== 'object' || body === null) return `no JSON: ${String(body).slice(0, 100)}`
  const { type, Type, EntityType, Action, ID, Id, data } = body as Part
  if (typeof Action === 'string') return `${Type ?? EntityType} ${ID ?? Id}: ${Action}`
  const { import: job, records } = (data ?? {}) as { import?: Part; records?: Part[] }
  if (job) return `${type}: import ${job.id}, ${job.state}${countsText(job.counts)}`
  if (!records) return String(type)
  const [first] = records
  const more = records.length > 1 ? ` and ${records.length - 1} more` : ''
  return `${type}: ${first?.type} ${first?.record_id} ${first?.title ?? ''}${more}`
}

function countsText(counts: unknown): string {
  const entries = Object.entries((counts ?? {}) as Record<string, number | null>)
  return entries.map(([name, count]) => (count ? `, ${count} ${name}` : '')).join('')
}

/** What others wrote must not move the cursor or begin a line of its own. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}
