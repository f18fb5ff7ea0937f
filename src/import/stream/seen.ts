// What a client of an event stream has been told of an import, as data, and its events as text.
// Pure. Used by follow.ts.

import { eventText } from '../../platform/event-streams.ts'
import { type ImportJson, type ImportProgress, progressJson } from '../import-json.ts'
import type { ImportState } from '../status.ts'
import type { FollowedRow } from './store.ts'

export interface Seen {
  state_changes: number
  progress: ImportProgress
}

/** A change of state that was told, but by now is not what the row says. */
export interface Step {
  state: ImportState
  state_changes: number
}

/** What a row says. */
export function seenOf(row: FollowedRow): Seen {
  return { state_changes: row.state_changes, progress: progressJson(row) }
}

/** Names what is seen: the same id, nothing new. It grows out of the row alone, so that every
 *  process, also one that was just started, gives the same. */
export function idOf({ state_changes, progress }: Seen): string {
  return `${state_changes}-${progress.rows.done}-${progress.bytes.done}`
}

/** The id of the last event of an import that stays as it is. */
export const endIdOf = (seen: Seen) => `${idOf(seen)}-end`

/** An event of the present state. */
export function stateText(seen: Seen): string {
  return eventText('state', idOf(seen), seen.progress)
}

/** The event after which nothing comes. */
export function endText(seen: Seen, json: ImportJson): string {
  return eventText('end', endIdOf(seen), json)
}

/** The events that lead from one to the other, in order; '' when nothing has changed. States that
 *  came and went in between are told with the numbers known before them. */
export function changesText(before: Seen, steps: Step[], now: Seen): string {
  const { state_changes } = now
  if (state_changes !== before.state_changes) {
    const missed = steps.filter(
      (step) => step.state_changes > before.state_changes && step.state_changes < state_changes
    )
    return [...missed.map((step) => after(before, step)), now].map(stateText).join('')
  }
  if (idOf(now) === idOf(before)) return ''
  return eventText('progress', idOf(now), now.progress)
}

function after({ progress }: Seen, { state, state_changes }: Step): Seen {
  const rows = { ...progress.rows, eta_seconds: null }
  return { state_changes, progress: { ...progress, state, rows } }
}
