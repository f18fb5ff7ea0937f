// One page of a push: the next outcomes -> events about their records as they are now.
// In: a push that is held, its transaction. Out: whether more is left. Called by run-pushes.ts; a
// constant number of statements for each record type in the page.

import type { EventType } from '../../events.ts'
import type { Tx } from '../../platform/db.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { loadTypes } from '../../record-types/store.ts'
import type { RecordData, RecordType } from '../../record-types/types.ts'
import type { Actor, Told } from '../../records/event-records.ts'
import { readDeleted } from '../../records/history/store.ts'
import { getActor, getRecords, type RecordRow } from '../../records/store.ts'
import { tellRecords } from '../../records/tell-records.ts'
import {
  listReferences,
  listRows,
  listToldBefore,
  markRows,
  movePush,
  type PushedRow,
  type PushRow,
  readBefore
} from './store.ts'

const pageRows = 500

/** Tells of the next page. Out: false when the push has come to its end. */
export async function pushPage(tx: Tx, push: PushRow): Promise<boolean> {
  const types = await loadTypes(tx, push.account_id)
  const references = takesMade(push) ? await listReferences(tx, push, pageRows) : []
  const rows = references.length > 0 ? references : await listRows(tx, push, pageRows)
  const told = await tell(tx, push, types, rows)
  const gone = rows.filter((row) => !told.includes(row))
  if (rows.length > 0) await markRows(tx, push, { told, gone })
  const after_row = references.length > 0 ? push.after_row : (rows.at(-1)?.row_number ?? 0)
  const isLast = references.length === 0 && rows.length < pageRows
  await movePush(tx, push, after_row, isLast)
  return !isLast
}

const takesMade = ({ kind, what }: PushRow) => kind === 'import' && what !== 'updated'

/** Out: the rows that there was something to tell of. */
async function tell(tx: Tx, push: PushRow, types: TypeCatalogue, rows: PushedRow[]) {
  const actor = await getActor(tx, push.account_id, push.created_by)
  const numbers = rows.map(({ row_number }) => row_number)
  const before = push.kind === 'undo' ? await listToldBefore(tx, push, numbers) : null
  const wanted = before ? rows.filter(({ row_number }) => before.has(row_number)) : rows
  const own = types.get(push.type)
  const typeOf = ({ type_id }: PushedRow) => (type_id === null ? own : types.getById(type_id))
  const told = new Set<PushedRow>()
  for (const [type, those] of Map.groupBy(wanted, typeOf)) {
    if (!type) continue
    for (const row of await tellType(tx, { push, types, type, actor }, those)) told.add(row)
  }
  return rows.filter((row) => told.has(row))
}

interface Place {
  push: PushRow
  types: TypeCatalogue
  type: RecordType
  actor: Actor
}

async function tellType(tx: Tx, place: Place, rows: PushedRow[]): Promise<PushedRow[]> {
  const { push, types, type, actor } = place
  const { account_id, import_id } = push
  const ids = [...new Set(rows.map(({ record_id }) => record_id))]
  const found = await getRecords(tx, account_id, type.type_id, ids)
  const records = new Map(found.map((record) => [record.id, record]))
  const changes = await readBefore(tx, push, ids)
  const missing = push.kind === 'undo' ? ids.filter((id) => !records.has(id)) : []
  const deleted = await readDeleted(tx, account_id, missing, push.created_on)
  const byType = new Map<EventType, Told[]>()
  const done = new Set<number>()
  for (const [id, those] of Map.groupBy(rows, ({ record_id }) => record_id)) {
    const record = records.get(id)
    const about = record
      ? ofRecord(push, record, those, changes.get(id))
      : ofDeleted(id, deleted.get(id))
    if (!about) continue
    done.add(id)
    if (about.type) byType.set(about.type, [...(byType.get(about.type) ?? []), about.told])
  }
  for (const [event, told] of byType) {
    await tellRecords(tx, { account_id, types, type }, { type: event, import_id, actor }, told)
  }
  return rows.filter(({ record_id }) => done.has(record_id))
}

interface About {
  /** null: what is to be told of it was told with an earlier row. */
  type: EventType | null
  told: Told
}

/** What is to be told of a record that is there; null: nothing. */
function ofRecord(
  { kind, what, import_id }: PushRow,
  { id, data, organization_id, created_import_id }: RecordRow,
  rows: PushedRow[],
  changes: { before: RecordData | null; is_new: boolean } | undefined
): About | null {
  const told = { id, data, organization_id, before: null, gone: false }
  const isMade = kind === 'import' && created_import_id === import_id
  if (isMade || changes?.is_new) {
    if (what === 'updated') return null
    // Later rows about it: the event of the first told what it is now.
    const isFirst = !isMade || rows.some(({ outcome }) => outcome === 'created')
    return { type: isFirst ? 'record.created' : null, told }
  }
  if (what === 'created') return null
  // What somebody changed back since, or took back, is no change any more.
  const before = Object.fromEntries(
    Object.entries(changes?.before ?? {}).filter(([name, was]) => !isSame(was, data[name] ?? null))
  )
  if (Object.keys(before).length === 0) return null
  return { type: 'record.updated', told: { ...told, before } }
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)

/** Of a record that was told of and is gone. */
function ofDeleted(id: number, data: RecordData | undefined): About | null {
  if (!data) return null
  const told = { id, data, organization_id: null, before: null, gone: true }
  return { type: 'record.deleted', told }
}
