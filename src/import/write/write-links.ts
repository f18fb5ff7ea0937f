// The ids of other systems that rows name -> links. While rows are decided such ids are fields of
// their records (record-types/external-ids.ts); here they become what they are, and the records what
// is stored of them. Called by write-batch.ts, in the transaction of the batch.

import type { Tx } from '../../platform/db.ts'
import { externalIdField } from '../../record-types/external-ids.ts'
import type { RecordData } from '../../record-types/types.ts'
import type { BatchRecord } from '../batch-records.ts'
import type { ImportPlan } from '../resolve/plan.ts'

/** What a record is in another system, as a row says it. */
export interface NamedLink {
  record_id: number
  system: string
  external_id: string
}

/** The record as it is stored; the links that it gets are added to `links`. Its steps stay: a row that
 *  only names a link raises the version like any other that says something new. */
export function takeLinks(
  { systems }: ImportPlan,
  record: BatchRecord,
  links: NamedLink[]
): BatchRecord {
  if (systems.length === 0) return record
  const { before, now, set, steps, keys } = record
  const names = systems.map(externalIdField)
  const given = before === null ? now.data : set
  for (const [index, system] of systems.entries()) {
    const external_id = given[names[index] as string]
    if (typeof external_id === 'string') links.push({ record_id: now.id, system, external_id })
  }
  return {
    ...record,
    now: { ...now, data: without(now.data, names) },
    set: without(set, names),
    steps: steps.map((step) => ({ ...step, before: without(step.before, names) })),
    // The identities of systems come first.
    keys: keys?.slice(names.length) ?? null
  }
}

function without(data: RecordData, names: string[]): RecordData {
  const rest = { ...data }
  for (const name of names) delete rest[name]
  return rest
}

/** Writes the links, two statements for all of them. An id that a record has which is gone is free
 *  again; where the link is there without an id, it gets one and keeps its state. Throws what has the
 *  batch tried again when a connector was quicker. */
export async function writeLinks(
  { tx, account_id, plan }: { tx: Tx; account_id: number; plan: ImportPlan },
  links: NamedLink[]
): Promise<void> {
  if (links.length === 0) return
  const systems = links.map(({ system }) => system)
  const ids = links.map(({ external_id }) => external_id)
  const { type_id } = plan.type
  await tx.query(
    `/* write.free_external_ids */
    DELETE FROM record_links AS l
    WHERE l.account_id = $1::integer
    AND l.type_id = $2::smallint
    AND l.external_id = ANY ($3::text[])
    AND l.external_id IS NOT NULL
    AND l.system || ' ' || l.external_id = ANY ($4::text[])
    AND (
      SELECT r.id
      FROM records r
      WHERE r.account_id = l.account_id
      AND r.type_id = l.type_id
      AND r.id = l.record_id
    ) IS NULL`,
    [account_id, type_id, ids, links.map(({ system, external_id }) => `${system} ${external_id}`)]
  )
  const { rowCount } = await tx.query(
    `/* write.insert_links */
    INSERT INTO record_links AS l (account_id, record_id, system, type_id, external_id, state)
    SELECT $1::integer, u.record_id, u.system, $2::smallint, u.external_id, 'not_synced'
    FROM unnest($3::text[], $4::text[], $5::bigint[]) AS u (system, external_id, record_id)
    ORDER BY u.system, u.external_id
    ON CONFLICT (account_id, record_id, system) DO UPDATE
    SET external_id = excluded.external_id, changed_at = now()
    WHERE l.external_id IS NULL`,
    [account_id, type_id, systems, ids, links.map(({ record_id }) => record_id)]
  )
  if (rowCount !== links.length) throw new LinkedMeanwhile()
}

/** A connector linked one of the records after it was read. Its code is that of a transaction which
 *  has to be tried again. */
export class LinkedMeanwhile extends Error {
  readonly code = '40001'

  constructor() {
    super('a record was linked while its row was decided')
    this.name = 'LinkedMeanwhile'
  }
}
