// One page of a push: the next outcomes -> events about their records as they are now.
// In: a push that is held, its transaction. Out: whether more is left. Called by run-pushes.ts; a
// constant number of statements for each record type in the page.

import type { EventType } from '../../events.ts'
import type { Tx } from '../../platform/db.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { loadTypes } from '../../record-types/store.ts'
import type { RecordData, RecordType } from '../../record-types/types.ts'
import { type Actor, stillChanged, type Told } from '../../records/event-records.ts'
import { readDeleted } from '../../records/history/store.ts'
import {
  getActor,
  getRecords,
  hasTold,
  lockTelling,
  noteTold,
  type RecordRow,
  readTold,
  type ToldVersion
} from '../../records/store.ts'
import { tellRecords } from '../../records/tell-records.ts'
import { planTelling, type Step } from './plan-telling.ts'
import {
  type Changes,
  listChangedByOthers,
  listReferences,
  listRows,
  markRows,
  movePush,
  type PushedRow,
  type PushRow,
  readBefore,
  readSince
} from './store.ts'

const pageRows = 1_000

/** Tells of the next page. Out: false when the push has come to its end. */
export async function pushPage(tx: Tx, push: PushRow): Promise<boolean> {
  await lockTelling(tx, push.account_id)
  if (push.kind === 'undo' && !(await hasTold(tx, push.account_id))) {
    await movePush(tx, push, push.after_row, true)
    return false
  }
  const types = await loadTypes(tx, push.account_id)
  const references = takesMade(push) ? await listReferences(tx, push, pageRows) : []
  const rows = references.length > 0 ? references : await listRows(tx, push, pageRows)
  const held = await tell(tx, push, types, rows)
  // References are asked for by their mark alone: all of them get it.
  const done = references.length > 0 ? rows : rows.filter(({ record_id }) => !held.has(record_id))
  await markRows(tx, push, done)
  const after_row = references.length > 0 ? push.after_row : (rows.at(-1)?.row_number ?? 0)
  const isLast = references.length === 0 && rows.length < pageRows
  await movePush(tx, push, after_row, isLast)
  return !isLast
}

const takesMade = ({ kind, what }: PushRow) => kind === 'import' && what !== 'updated'

/** Out: the records that are not to be told of now. */
async function tell(tx: Tx, push: PushRow, types: TypeCatalogue, rows: PushedRow[]) {
  const held = new Set<number>()
  if (rows.length === 0) return held
  const actor = await getActor(tx, push.account_id, push.created_by)
  const own = types.get(push.type)
  const typeOf = ({ type_id }: PushedRow) => (type_id === null ? own : types.getById(type_id))
  for (const [type, those] of Map.groupBy(rows, typeOf)) {
    const ids = [...new Set(those.map(({ record_id }) => record_id))]
    // Of a type that is gone there are no records.
    const steps = type ? await tellType(tx, { push, types, type, actor }, ids) : null
    for (const [id, step] of steps ?? []) if (step === 'held') held.add(id)
  }
  return held
}

interface Place {
  push: PushRow
  types: TypeCatalogue
  type: RecordType
  actor: Actor
}

async function tellType(tx: Tx, place: Place, ids: number[]): Promise<Map<number, Step>> {
  const { push, types, type, actor } = place
  const { account_id, import_id } = push
  const told = await readTold(tx, account_id, ids)
  const wanted = push.kind === 'undo' ? ids.filter((id) => told.has(id)) : ids
  const found = await getRecords(tx, account_id, type.type_id, wanted)
  const records = new Map(found.map((record) => [record.id, record]))
  const steps = new Map(ids.map((id) => [id, planTelling(push, records.get(id), told.get(id))]))
  const known = await readPast(tx, push, steps, told)
  const abouts = [...steps].flatMap(([id, step]) => aboutOf(id, step, records.get(id), known) ?? [])
  const mixed = await findMixed(tx, push, { steps, told, known, abouts })
  // Whoever is not the only one that made a record what it is has to hear of it.
  const makerOf = (one: Told) => (mixed.has(one.id) ? null : actor)
  for (const [event, those] of Map.groupBy(abouts, ({ type }) => type)) {
    if (event === null) continue
    const byMaker = Map.groupBy(
      those.map((about) => about.told),
      makerOf
    )
    for (const [maker, all] of byMaker) {
      const telling = { type: event, import_id, actor: maker }
      await tellRecords(tx, { account_id, types, type }, telling, all)
    }
  }
  const silent = abouts.flatMap((about) => (about.type === null ? [about.told] : []))
  await noteTold(tx, account_id, silent)
  return steps
}

/** What records were, by id. */
interface Past {
  changes: Map<number, Changes>
  deleted: Map<number, RecordData>
}

/** Reads what the steps need of the history: a statement each, and none where none is needed. */
async function readPast(
  tx: Tx,
  push: PushRow,
  steps: Map<number, Step>,
  told: Map<number, ToldVersion>
): Promise<Past> {
  const of = (wanted: Step) => [...steps].flatMap(([id, step]) => (step === wanted ? [id] : []))
  const [changed, since, gone] = [of('changed'), of('since'), of('deleted')]
  const toldOf = (ids: number[]) => ids.map((id) => told.get(id) as ToldVersion)
  const dayOf = (ids: number[]) => toldOf(ids).reduce(earlier, push.created_on)
  const changes = new Map([
    ...(await readBefore(tx, push, changed)),
    ...(await readSince(tx, push, {
      ids: since,
      versions: toldOf(since).map(({ version }) => version),
      day: dayOf(since)
    }))
  ])
  const deleted = await readDeleted(tx, push.account_id, gone, dayOf(gone))
  return { changes, deleted }
}

/** The records about which more is told than what the push's own key did. */
async function findMixed(
  tx: Tx,
  push: PushRow,
  {
    steps,
    told,
    known,
    abouts
  }: { steps: Map<number, Step>; told: Map<number, ToldVersion>; known: Past; abouts: About[] }
): Promise<Set<number>> {
  const ids: number[] = []
  const versions: number[] = []
  for (const { type, told: one } of abouts) {
    const step = steps.get(one.id)
    // A record that nobody has changed since it was made is its maker's.
    if (type === null || one.gone || (step === 'created' && one.version === 1)) continue
    const from = step === 'created' ? 1 : (known.changes.get(one.id)?.first ?? 0)
    ids.push(one.id)
    versions.push(from)
  }
  const day = ids.reduce((first, id) => {
    const past = told.get(id)
    return past ? earlier(first, past) : first
  }, push.created_on)
  return listChangedByOthers(tx, push, { ids, versions, day })
}

const earlier = (day: string, { told_on }: ToldVersion) => (told_on < day ? told_on : day)

interface About {
  /** null: nobody needs to hear of it, but it is as if they had. */
  type: EventType | null
  told: Told
}

/** What is to be told of a record; null: nothing, and there is nothing to note. */
function aboutOf(
  id: number,
  step: Step,
  record: RecordRow | undefined,
  { changes, deleted }: Past
): About | null {
  if (step === 'nothing' || step === 'held') return null
  if (!record) {
    const data = deleted.get(id) ?? {}
    const told = { id, version: 0, data, organization_id: null, before: null, gone: true }
    return { type: step === 'deleted' ? 'record.deleted' : null, told }
  }
  const { version, data, organization_id } = record
  const told = { id, version, data, organization_id, before: null, gone: false }
  if (step === 'created') return { type: 'record.created', told }
  const { before: all, is_whole } = changes.get(id) ?? {
    before: null,
    is_whole: step === 'changed'
  }
  // What somebody changed back since, or took back, is no change any more.
  const before = stillChanged(all ?? {}, data)
  if (Object.keys(before).length > 0 || !is_whole) {
    return { type: 'record.updated', told: { ...told, before } }
  }
  return step === 'since' ? { type: null, told } : null
}
