// The look-ups of matching where a file has ids of other systems: such keys are among the links, and
// the links of a record are compared as if they were values of it.
// Called wherever rows of a plan are matched; a plan without such columns runs the plain statements
// of probe-keys.ts.
//
// The statements leave the planner one index each, also while statistics are young. Where it could
// use the system, fetching walked all links of it for each record: 30,000 records got links at 1,000
// rows per second and falling, 25,000 now (200,000: 13,500). Probing fell behind in the same way with
// the system in front of the id in the index; `= ANY (array)` walked all links of the account, once
// for each batch.

import type { Tx } from '../../platform/db.ts'
import { externalIdPrefix } from '../../record-types/external-ids.ts'
import type { MatchRule, RecordData } from '../../record-types/types.ts'
import type { ExistingRecord } from '../decide/existing-record.ts'
import type { ImportPlan } from '../resolve/plan.ts'
import { fetchRecords, probeKeys } from './probe-keys.ts'

export interface MatchPlace {
  tx: Tx
  account_id: number
  plan: ImportPlan
}

/** Finds the records of the plan's type that have the keys under one of its rules. Out: ids by key. */
export async function probeRuleKeys(
  { tx, account_id, plan }: MatchPlace,
  rule: MatchRule,
  keys: string[]
): Promise<Map<string, number[]>> {
  const { type_id } = plan.type
  if (rule.system === undefined) {
    return await probeKeys(tx, { account_id, type_id, rule: rule.code }, keys)
  }
  // Links stay when their record goes. That of a record which is gone names nobody.
  const { rows } = await tx.query<[string, number | null]>({
    text: `/* match.probe_links */
    SELECT w.key, (
        SELECT r.id
        FROM records r
        WHERE r.account_id = $1::integer
        AND r.type_id = $3::smallint
        AND r.id = l.record_id
      ) AS record_id
    FROM unnest($4::text[]) AS w (key)
    CROSS JOIN LATERAL (
      SELECT k.record_id
      FROM record_links k
      WHERE k.account_id = $1::integer
      AND k.type_id = $3::smallint
      AND k.external_id = w.key
      AND (k.system = $2::text) IS TRUE
      LIMIT 1
    ) l`,
    values: [account_id, rule.system, type_id, keys],
    rowMode: 'array'
  })
  return new Map(rows.flatMap(([id, record_id]) => (record_id === null ? [] : [[id, [record_id]]])))
}

/** Fetches records of the plan's type by id; values may be left out where the fingerprint is one of
 *  `fingerprints`. With links there is none: they change without the record, so that a row which says
 *  what its record was last written from may still have a link to write. */
export async function fetchMatched(
  { tx, account_id, plan }: MatchPlace,
  ids: number[],
  fingerprints: number[]
): Promise<ExistingRecord[]> {
  const { type, systems } = plan
  const place = { account_id, type_id: type.type_id }
  if (systems.length === 0) return await fetchRecords(tx, place, ids, fingerprints)
  if (ids.length === 0) return []
  const { rows } = await tx.query<[number, number, number | null, RecordData]>({
    text: `/* match.fetch_linked_records */
    SELECT r.id, r.version, r.organization_id,
      (r.data - ARRAY(SELECT $5::text || s.system FROM unnest($4::text[]) AS s (system)))
        || COALESCE(l.ids, '{}') AS data
    FROM records r
    LEFT JOIN LATERAL (
      SELECT jsonb_object_agg($5::text || k.system, k.external_id)
        FILTER (WHERE k.system = ANY ($4::text[]) AND k.external_id IS NOT NULL) AS ids
      FROM record_links k
      WHERE k.account_id = r.account_id
      AND k.record_id = r.id
    ) l ON true
    WHERE r.account_id = $1::integer
    AND r.type_id = $2::smallint
    AND r.id = ANY ($3::bigint[])`,
    values: [account_id, place.type_id, ids, systems, externalIdPrefix],
    rowMode: 'array'
  })
  return rows.map(([id, version, organization_id, data]) => {
    return { id, version, organization_id, fingerprint: null, data }
  })
}
