// The imports that clients of this process follow. One read of an import serves all its clients, one
// statement all imports that are due, and nothing is read while nothing is told.
//
// In: what the listener hears. Out: events to streams. Called by routes.ts.

import { setImmediate as breathe } from 'node:timers/promises'
import { appError } from '../../errors.ts'
import type { EventStream } from '../../platform/event-streams.ts'
import type { Log } from '../../platform/log.ts'
import type { ImportJson } from '../import-json.ts'
import { isFinished } from '../status.ts'
import { everyMs } from './pulse.ts'
import {
  changesText,
  endIdOf,
  endText,
  idOf,
  type Seen,
  type Step,
  seenOf,
  stateText
} from './seen.ts'
import type { FollowedRow, ImportPlace, Told } from './store.ts'

export interface FollowOptions {
  read: (places: ImportPlace[]) => Promise<FollowedRow[]>
  show: (place: ImportPlace) => Promise<ImportJson>
  log: Log
}

/** Opens the stream of a client. */
type Open = (onClose: () => void) => EventStream

export interface Followers {
  /** Adds a client that has seen the event of that id (null: none), on the stream that `open` makes.
   *  Out: null when it has seen the end. Throws import_not_found, and what `open` throws. */
  join(place: ImportPlace, lastId: string | null, open: Open): Promise<EventStream | null>
  /** Takes what was heard. */
  hear(told: Told): void
  /** Reads everything that is followed: something may have been told unheard. */
  readAll(): void
  close(): void
}

interface Topic extends ImportPlace {
  clients: Set<EventStream>
  /** Clients that wait for the first read. */
  joining: number
  /** Null until the first read, and when there is no such import. */
  seen: Seen | null
  /** Changes of state that were told and not read yet. */
  steps: Step[]
  first: Promise<void>
  readAt: number
  /** When it is to be read again; Infinity: when something is told. */
  dueAt: number
}

/** All that is followed. */
interface Following extends FollowOptions {
  topics: Map<string, Topic>
  timer: NodeJS.Timeout | undefined
  isReading: boolean
  isClosed: boolean
}

const againMs = 1_000
const maxSteps = 100
// Writing to all clients at once would keep everybody else waiting.
const sliceSize = 25
const never = Number.POSITIVE_INFINITY

const nameOf = ({ account_id, import_id }: ImportPlace) => `${account_id}/${import_id}`

/** Makes the list of followed imports: none yet. */
export function createFollowers(options: FollowOptions): Followers {
  const topics = new Map<string, Topic>()
  const rest = { timer: undefined, isReading: false, isClosed: false }
  const following: Following = { ...options, topics, ...rest }
  return {
    join: (place, lastId, open) => join(following, place, lastId, open),
    hear: (told) => hear(following, told),
    readAll() {
      for (const topic of topics.values()) topic.dueAt = 0
      schedule(following)
    },
    close() {
      following.isClosed = true
      clearTimeout(following.timer)
    }
  }
}

async function join(
  following: Following,
  place: ImportPlace,
  lastId: string | null,
  open: Open
): Promise<EventStream | null> {
  const topic = topicOf(following, place)
  topic.joining++
  try {
    await topic.first
    const { seen } = topic
    if (!seen) throw appError('import_not_found', { id: place.import_id })
    const isOver = isFinished(seen.progress.state)
    if (isOver && lastId === endIdOf(seen)) return null
    const stream = open(() => {
      topic.clients.delete(stream)
      leave(following, topic)
    })
    topic.clients.add(stream)
    if (lastId !== idOf(seen)) stream.send(stateText(seen))
    if (isOver) wake(following, topic, performance.now())
    // What was told before anybody was there has to be read now.
    else schedule(following)
    return stream
  } finally {
    topic.joining--
    leave(following, topic)
  }
}

/** The topic of an import; a new one is read at once, by one statement for all who come meanwhile. */
function topicOf({ topics, read }: Following, place: ImportPlace): Topic {
  const known = topics.get(nameOf(place))
  if (known) return known
  const { account_id, import_id } = place
  const rest = { clients: new Set<EventStream>(), joining: 0, seen: null, steps: [], dueAt: never }
  const first = read([place]).then(([row]) => {
    if (row) topic.seen = seenOf(row)
  })
  const topic: Topic = { account_id, import_id, ...rest, readAt: performance.now(), first }
  topics.set(nameOf(place), topic)
  return topic
}

function leave({ topics }: Following, topic: Topic): void {
  if (topic.clients.size === 0 && topic.joining === 0) topics.delete(nameOf(topic))
}

function hear(following: Following, { state, state_changes, ...place }: Told): void {
  const topic = following.topics.get(nameOf(place))
  if (!topic) return
  if (state === undefined || state_changes === undefined) {
    wake(following, topic, topic.readAt + everyMs)
  } else if (!topic.seen || state_changes > topic.seen.state_changes) {
    if (topic.steps.length < maxSteps) topic.steps.push({ state, state_changes })
    wake(following, topic, performance.now())
  }
}

function wake(following: Following, topic: Topic, dueAt: number): void {
  topic.dueAt = Math.min(topic.dueAt, dueAt)
  schedule(following)
}

function schedule(following: Following): void {
  if (following.isReading || following.isClosed) return
  let next = never
  for (const { clients, dueAt } of following.topics.values()) {
    if (clients.size > 0 && dueAt < next) next = dueAt
  }
  clearTimeout(following.timer)
  if (next === never) return
  const inMs = Math.max(0, next - performance.now())
  following.timer = setTimeout(() => void readDue(following), inMs).unref()
}

async function readDue(following: Following): Promise<void> {
  const { topics, read, log } = following
  following.isReading = true
  const now = performance.now()
  const due = [...topics.values()].filter((one) => one.clients.size > 0 && one.dueAt <= now)
  for (const topic of due) Object.assign(topic, { readAt: now, dueAt: never })
  try {
    const found = await read(due)
    const rows = new Map(found.map((row) => [nameOf({ ...row, import_id: row.id }), row]))
    for (const topic of due) await tell(following, topic, rows.get(nameOf(topic)))
  } catch (error) {
    log.warn({ err: error }, 'followed imports not read')
    for (const topic of due) topic.dueAt = Math.min(topic.dueAt, performance.now() + againMs)
  }
  following.isReading = false
  schedule(following)
}

async function tell(
  following: Following,
  topic: Topic,
  row: FollowedRow | undefined
): Promise<void> {
  const { seen: before, steps } = topic
  if (!row || !before) return sendAll(topic, '', true)
  const now = seenOf(row)
  // Whoever joins from here on begins with what is now.
  topic.seen = now
  topic.steps = topic.steps.filter((step) => step.state_changes > now.state_changes)
  await sendAll(topic, changesText(before, steps, now))
  if (!isFinished(now.progress.state) || topic.clients.size === 0) return
  const json = await following.show(topic)
  // Somebody may have begun it anew in between.
  if (!isFinished(json.state)) return wake(following, topic, performance.now())
  await sendAll(topic, endText(now, json), true)
}

/** Sends to all that are there now; those who come meanwhile began with something newer. */
async function sendAll({ clients }: Topic, text: string, isEnd = false): Promise<void> {
  if (text === '' && !isEnd) return
  const bytes = Buffer.from(text)
  for (const [index, client] of [...clients].entries()) {
    if (index % sliceSize === sliceSize - 1) await breathe()
    if (text !== '') client.send(bytes)
    if (isEnd) client.end()
  }
}
