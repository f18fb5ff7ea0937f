// Holds the rows of an import to what its dry run showed: a row that would do anything else is
// rejected as drifted, with what differs. Pure. Called by decide-rows.ts for every row of a dry run
// (where it only notes the changes to be shown) and of an import that applies one.

import { rowProblem } from '../../errors.ts'
import type { Json, RecordData, RecordType } from '../../record-types/types.ts'
import { isSensitive } from '../../record-types/types.ts'
import { recordTitle } from '../../records/record-json.ts'
import type { BatchRecords } from '../batch-records.ts'
import type { Decision } from '../decide/decide-row.ts'
import { sameJson } from '../decide/same-json.ts'
import type { MatchedRow } from '../match/match-rows.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import type { Outcome, Problem } from '../terms.ts'
import type { Foreseen } from './foresee.ts'
import { shownChanges } from './shown-changes.ts'
import type { ForeseenRow, ShownChanges } from './terms.ts'

/** What the rows of a batch are held to, and what has become of those before. */
export interface HoldPlace {
  plan: ImportPlan
  foreseen: Foreseen
  made: BatchRecords
  /** Records about which a row of the batch has drifted. */
  drifted: Set<number>
  titleOf(id: number): string
}

/** Notes with the row what is to be shown of it. Out: the decision, or that the row has drifted. */
export function holdTo(place: HoldPlace, one: MatchedRow, decision: Decision): Decision {
  const { plan, foreseen, made } = place
  const titleOfMade = (type: RecordType, id: number) => {
    if (!foreseen.made.has(id)) return null
    const own = type === plan.type ? made.all.get(id)?.now.data : undefined
    return own ? recordTitle(type, own) : (foreseen.titles.get(id) ?? '')
  }
  one.changes = shownChanges(plan, decision, titleOfMade)
  one.drifted = null
  const shown = foreseen.rows?.get(one.row.raw.row)
  if (!shown || decision.action === 'wait') return decision
  // Whether it takes an identity of another record, as it may have then, is found out last.
  const mayConflict = shown.outcome === 'rejected' && decision.action === 'update'
  if (mayConflict && !foreseen.asked.has(one)) {
    foreseen.open.add(one)
    return decision
  }
  const problems = differences(place, shown, one, decision)
  if (problems.length === 0) return decision
  if (shown.outcome === 'updated' && shown.record_id !== null) {
    one.drifted = shown.record_id
    place.drifted.add(shown.record_id)
  }
  return { action: 'reject', problems }
}

/** The values that the dry run made up for a new record. */
export function generatedBefore(
  { type, generates }: ImportPlan,
  foreseen: Foreseen | null,
  row: number
): RecordData | undefined {
  const changes = generates ? foreseen?.rows?.get(row)?.changes : null
  if (!changes) return undefined
  const values: RecordData = {}
  for (const field of type.fields) {
    const to = changes[field.name]?.to ?? null
    if (field.generated && to !== null && !isSensitive(field)) values[field.name] = to
  }
  return values
}

const outcomeOf: Record<Decision['action'], Outcome | null> = {
  create: 'created',
  update: 'updated',
  unchanged: 'unchanged',
  skip: 'skipped',
  reject: 'rejected',
  wait: null
}

/** What of a row is not as the dry run showed it: a problem for each difference. */
function differences(
  place: HoldPlace,
  shown: ForeseenRow,
  one: MatchedRow,
  decision: Decision
): Problem[] {
  const { foreseen, plan } = place
  const found = one.match.kind === 'one' ? one.match.id : null
  const record_id = found !== null && !foreseen.made.has(found) ? found : null
  const candidates = record_id === null ? [] : [{ id: record_id, title: place.titleOf(record_id) }]
  const differ = (difference: string, field: string | null = null) => {
    const column = plan.columns.find((each) => each.field.name === field)?.header ?? null
    const more = candidates.length > 0 ? { candidates } : {}
    return rowProblem('drifted', { column, field, args: { difference }, ...more })
  }
  if (outcomeOf[decision.action] !== shown.outcome) {
    const now = presentWords(decision, record_id)
    return [differ(`it would have ${words(shown.outcome, shown.record_id)}, and would ${now} now.`)]
  }
  if (decision.action === 'reject' || decision.action === 'skip') return []
  if (record_id !== shown.record_id) {
    return [differ(`it was about ${named(shown.record_id)}, and is about ${named(record_id)} now.`)]
  }
  const problems: Problem[] = []
  if (decision.action === 'update') {
    const { version } = decision.record
    if (record_id !== null && (foreseen.drifted.has(record_id) || place.drifted.has(record_id))) {
      problems.push(differ(`an earlier row about ${named(record_id)} has drifted.`))
    } else if (version !== shown.record_version) {
      const then = `had version ${shown.record_version} then and has version ${version} now`
      problems.push(differ(`${named(record_id)} was changed since: it ${then}.`))
    }
  }
  for (const [field, text] of changesThatDiffer(shown.changes ?? {}, one.changes ?? {})) {
    problems.push(differ(text, field))
  }
  return problems
}

/** By field, what differs. */
function* changesThatDiffer(then: ShownChanges, now: ShownChanges): Generator<[string, string]> {
  for (const name of new Set([...Object.keys(then), ...Object.keys(now)])) {
    const [was, is] = [then[name], now[name]]
    if (sameJson(was, is)) continue
    if (!is) yield [name, `${name} was to become ${printed(was?.to)}, and would not change now.`]
    else if (!was) {
      yield [name, `${name} was not to change, and would become ${printed(is.to)} now.`]
    } else if (sameJson(was.to, is.to)) {
      yield [name, `${name} was ${printed(was.from)} then and is ${printed(is.from)} now.`]
    } else {
      yield [
        name,
        `${name} was to become ${printed(was.to)}, and would become ${printed(is.to)} now.`
      ]
    }
  }
}

const named = (id: number | null) => (id === null ? 'a record that the file makes' : `record ${id}`)

function words(outcome: Outcome, id: number | null): string {
  if (outcome === 'created') return 'created a record'
  if (outcome === 'updated') return `changed ${named(id)}`
  if (outcome === 'unchanged') return `left ${named(id)} as it is`
  if (outcome === 'skipped') return 'been left out'
  return outcome === 'failed' ? 'failed' : 'been rejected'
}

function presentWords(decision: Decision, id: number | null): string {
  if (decision.action === 'create') return 'create a record'
  if (decision.action === 'update') return `change ${named(id)}`
  if (decision.action === 'unchanged') return `leave ${named(id)} as it is`
  if (decision.action === 'skip') return 'be left out'
  const reasons = decision.action === 'reject' ? decision.problems : []
  return `be rejected (${[...new Set(reasons.map(({ code }) => code))].join(', ')})`
}

const maxChars = 60

/** A value in a sentence. */
function printed(value: Json | undefined): string {
  if (value === null || value === undefined) return 'empty'
  if (typeof value === 'object' && 'secret' in value) return 'a secret'
  if (typeof value === 'object' && 'new' in value) return `a new record "${value.new}"`
  const text = JSON.stringify(value)
  return text.length > maxChars ? `${text.slice(0, maxChars - 1).toWellFormed()}…` : text
}
