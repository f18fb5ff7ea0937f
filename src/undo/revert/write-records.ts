// Settled plans -> records, keys and history: each kind of change is one statement for a whole batch.
// In: plans that go. What is added (history, keys, outcomes) is given as COPY parts, which the batch
// sends all together.

import { copyText } from '../../import/write/copy-text.ts'
import type { CopyPart } from '../../platform/copy-in.ts'
import type { Tx } from '../../platform/db.ts'
import type { RecordData } from '../../record-types/types.ts'
import { deleteKeys, type RecordKey, recreateRecords } from '../../records/write/store.ts'
import type { RecordPlan } from '../plan/plan-record.ts'
import type { HeldRecord } from '../terms.ts'

export interface WritePlace {
  tx: Tx
  account_id: number
  /** The undo that writes. */
  undo_id: number
}

/** Writes all plans. Out: what is left to be copied. Throws an Error when a record is not as it was
 *  read: the turn was not taken. */
export async function writePlans(place: WritePlace, plans: RecordPlan[]): Promise<CopyPart[]> {
  const parts: CopyPart[] = []
  const gained: string[] = []
  const byType = Map.groupBy(plans, ({ type }) => type)
  for (const [{ type_id }, those] of byType) {
    const at = { ...place, type_id }
    const only = (action: RecordPlan['action']) => those.filter((plan) => plan.action === action)
    await setValues(at, only('set'))
    await deleteRecords(at, only('delete'))
    await bringBack(at, only('recreate'))
    const lost: RecordKey[] = []
    for (const { target, lost: keys, gained: more } of those) {
      const { record_id } = target
      for (const { rule, value } of keys) lost.push({ rule, value, record_id })
      for (const { rule, value } of more) {
        gained.push(`${place.account_id}\t${type_id}\t${rule}\t${copyText(value)}\t${record_id}\n`)
      }
    }
    await deleteKeys(at, lost)
  }
  const changes = plans.filter(({ action }) => action === 'set')
  if (changes.length > 0) parts.push(copyChanges(place, changes))
  if (gained.length > 0) parts.push(copyKeys(gained))
  return parts
}

type TypePlace = WritePlace & { type_id: number }

function check(count: number | null, plans: RecordPlan[]): void {
  if (count !== plans.length) throw new Error(`${count} of ${plans.length} records were there`)
}

const heldOf = ({ now }: RecordPlan) => now as HeldRecord

/** Ids are given twice on purpose: see the import's updateRecords. */
async function setValues(place: TypePlace, plans: RecordPlan[]): Promise<void> {
  if (plans.length === 0) return
  const { rowCount } = await place.tx.query(
    `/* undo.set_values */
    UPDATE records AS r
    SET data = CASE WHEN u.cleared IS NULL THEN r.data || u.set_data::jsonb
        ELSE (r.data || u.set_data::jsonb) - string_to_array(u.cleared, ',') END,
      version = r.version + 1, updated_at = now(), updated_import_id = $3::bigint,
      fingerprint = NULL, organization_id = u.organization_id
    FROM unnest($4::bigint[], $5::integer[], $6::bigint[], $7::text[], $8::text[])
      AS u (id, version, organization_id, set_data, cleared)
    WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint
      AND r.id = ANY ($4::bigint[])
      AND r.id = u.id
      AND r.version = u.version`,
    [
      place.account_id,
      place.type_id,
      place.undo_id,
      plans.map(({ target }) => target.record_id),
      plans.map((plan) => heldOf(plan).version),
      plans.map(({ after }) => after.organization_id),
      plans.map(({ set }) => JSON.stringify(set)),
      plans.map(({ set }) => clearedFields(set))
    ]
  )
  check(rowCount, plans)
}

/** Names of the fields that lose their value; null: none does. */
function clearedFields(set: RecordData): string | null {
  const names = Object.keys(set).filter((name) => set[name] === null)
  return names.length > 0 ? names.join(',') : null
}

/** What the records were goes into history without a way through here. */
async function deleteRecords(place: TypePlace, plans: RecordPlan[]): Promise<void> {
  if (plans.length === 0) return
  const { rowCount } = await place.tx.query(
    `/* undo.delete_records */
    WITH gone AS (
      DELETE FROM records AS r
      USING unnest($4::bigint[], $5::integer[]) AS u (id, version)
      WHERE r.account_id = $1::integer
        AND r.type_id = $2::smallint
        AND r.id = ANY ($4::bigint[])
        AND r.id = u.id
        AND r.version = u.version
      RETURNING r.id, r.version, r.data, r.created_at, r.created_import_id, r.archived_at,
        r.merged_into
    )
    INSERT INTO record_changes (account_id, record_id, version, changed_on, type_id, import_id,
      action, before, record)
    SELECT $1::integer, g.id, g.version, (now() AT TIME ZONE 'UTC')::date, $2::smallint,
      $3::bigint, 'delete', g.data, jsonb_build_object('created_at', g.created_at,
        'created_import_id', g.created_import_id, 'archived_at', g.archived_at,
        'merged_into', g.merged_into)
    FROM gone g`,
    [
      place.account_id,
      place.type_id,
      place.undo_id,
      plans.map(({ target }) => target.record_id),
      plans.map((plan) => heldOf(plan).version)
    ]
  )
  check(rowCount, plans)
}

async function bringBack(place: TypePlace, plans: RecordPlan[]): Promise<void> {
  if (plans.length === 0) return
  const author = { import_id: place.undo_id, actor_key: null }
  const records = plans.map(({ target, version, after, facts }) => ({
    id: target.record_id,
    version,
    organization_id: after.organization_id,
    data: after.data,
    facts: facts ?? {},
    // Two versions ago: the one between is that it is gone.
    restored_version: version - 2
  }))
  check(await recreateRecords(place, author, records), plans)
}

/** What records were before they were set. */
function copyChanges({ account_id, undo_id }: WritePlace, plans: RecordPlan[]): CopyPart {
  const today = new Date().toISOString().slice(0, 10)
  function* lines() {
    for (const plan of plans) {
      const { target, type, after } = plan
      const { version, data } = heldOf(plan)
      const before: RecordData = {}
      for (const name of after.changed) before[name] = data[name] ?? null
      const place = `${account_id}\t${target.record_id}\t${version}\t${today}\t${type.type_id}`
      yield `${place}\t${undo_id}\tundo\t${copyText(JSON.stringify(before))}\n`
    }
  }
  return {
    sql: `/* undo.insert_changes */
    COPY record_changes (account_id, record_id, version, changed_on, type_id, import_id, action,
      before) FROM STDIN`,
    lines: lines()
  }
}

function copyKeys(lines: string[]): CopyPart {
  return {
    sql: `/* undo.insert_keys */
    COPY record_keys (account_id, type_id, rule, value, record_id) FROM STDIN`,
    // In index order the b-tree is filled page by page instead of all over.
    lines: lines.sort()
  }
}
