// The record types of an account in the database: its own ones, and what it adds to built-in ones.
// Called wherever a type is looked up by name: routes, accepting an import, running it. Changing
// them is the work of change-types.ts.

import type { Db, Tx } from '../platform/db.ts'
import { compileTypes, firstOwnTypeId, type StoredType } from './compile-types.ts'
import type { TypeCatalogue } from './registry.ts'

/** All record types of an account: one statement. */
export async function loadTypes(db: Db, account_id: number): Promise<TypeCatalogue> {
  return compileTypes(await listStoredTypes(db, account_id))
}

/** What the account has defined, by number. */
export async function listStoredTypes(db: Db, account_id: number): Promise<StoredType[]> {
  const { rows } = await db.query<StoredType>(
    `/* record_types.list */
    SELECT t.type_id, t.name, t.version, t.definition
    FROM record_types t
    WHERE t.account_id = $1::integer
    ORDER BY t.type_id`,
    [account_id]
  )
  return rows
}

/** Makes those who define types of an account take turns; held until the transaction ends. */
export async function lockDefinitions(tx: Tx, account_id: number): Promise<void> {
  await tx.query(
    `/* record_types.lock */
    SELECT a.account_id
    FROM accounts a
    WHERE a.account_id = $1::integer
    FOR NO KEY UPDATE`,
    [account_id]
  )
}

/** A number that no type of the account ever had. Needs the lock. */
export async function nextTypeId(tx: Tx, account_id: number): Promise<number> {
  const { rows } = await tx.query<{ type_id: number }>(
    `/* record_types.next_id */
    SELECT GREATEST(COALESCE(max(v.type_id), 0) + 1, $2::integer) AS type_id
    FROM record_type_versions v
    WHERE v.account_id = $1::integer`,
    [account_id, firstOwnTypeId]
  )
  return rows[0]?.type_id ?? firstOwnTypeId
}

/** Writes a definition, new or in place of the one before, and keeps it as a version. */
export async function saveType(
  tx: Tx,
  account_id: number,
  type: StoredType,
  created_by: number
): Promise<void> {
  await tx.query(
    `/* record_types.save */
    WITH saved AS (
      INSERT INTO record_types AS t (account_id, type_id, name, version, definition)
      VALUES ($1::integer, $2::smallint, $3::text, $4::integer, $5::jsonb)
      ON CONFLICT (account_id, type_id) DO UPDATE
      SET version = excluded.version, definition = excluded.definition, updated_at = now()
      RETURNING t.account_id, t.type_id, t.version, t.definition
    )
    INSERT INTO record_type_versions (account_id, type_id, version, definition, created_by)
    SELECT s.account_id, s.type_id, s.version, s.definition, $6::integer
    FROM saved s`,
    [account_id, type.type_id, type.name, type.version, JSON.stringify(type.definition), created_by]
  )
}

/** Takes a type out of use; its versions are kept. */
export async function deleteType(tx: Tx, account_id: number, type_id: number): Promise<void> {
  await tx.query(
    `/* record_types.delete */
    DELETE FROM record_types t
    WHERE t.account_id = $1::integer
      AND t.type_id = $2::smallint`,
    [account_id, type_id]
  )
}

/** The form in which a field's values are stored. */
export interface FieldShape {
  name: string
  kind: string
  many: boolean
  /** Type referred to; null: no reference. */
  target: string | null
}

/** Every shape that fields of the type ever had, removed fields included. */
export async function listPastShapes(
  tx: Tx,
  account_id: number,
  type_id: number
): Promise<FieldShape[]> {
  const { rows } = await tx.query<FieldShape>(
    `/* record_types.past_shapes */
    SELECT DISTINCT f.field ->> 'name' AS name, f.field ->> 'kind' AS kind,
      COALESCE(jsonb_typeof(f.field -> 'many') = 'object', false) AS many,
      f.field -> 'reference' ->> 'type' AS target
    FROM record_type_versions v
    CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'fields') AS f (field)
    WHERE v.account_id = $1::integer
      AND v.type_id = $2::smallint`,
    [account_id, type_id]
  )
  return rows
}

/** Names of the fields that were sensitive in some version of the type, or of one that had its name
 *  and was deleted. `type_id` null: there is no such type any more. */
export async function listPastSecrets(
  db: Db,
  account_id: number,
  { name, type_id }: { name: string; type_id: number | null }
): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `/* record_types.past_secrets */
    SELECT DISTINCT f.field ->> 'name' AS name
    FROM record_type_versions v
    CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'fields') AS f (field)
    WHERE v.account_id = $1::integer
      AND (v.type_id = $2::smallint OR v.definition ->> 'name' = $3::text)
      AND (f.field ->> 'kind' = 'password' OR f.field -> 'sensitive' = 'true'::jsonb)`,
    [account_id, type_id, name]
  )
  return rows.map((row) => row.name)
}

/** The highest number that a match rule of the type ever had; 0: none. */
export async function lastRuleCode(tx: Tx, account_id: number, type_id: number): Promise<number> {
  const { rows } = await tx.query<{ code: number }>(
    `/* record_types.last_rule */
    SELECT COALESCE(max((r.rule ->> 'code')::integer), 0) AS code
    FROM record_type_versions v
    CROSS JOIN LATERAL jsonb_array_elements(v.definition -> 'match_rules') AS r (rule)
    WHERE v.account_id = $1::integer
      AND v.type_id = $2::smallint`,
    [account_id, type_id]
  )
  return rows[0]?.code ?? 0
}

/** Keeps imports from writing records of the type until the transaction ends: takes the turn that
 *  they take for each batch. */
export async function holdWriters(tx: Tx, account_id: number, type_id: number): Promise<void> {
  await tx.query(
    `/* record_types.hold_writers */
    INSERT INTO type_writes AS tw (account_id, type_id, write_seq)
    VALUES ($1::integer, $2::smallint, 1)
    ON CONFLICT (account_id, type_id) DO UPDATE SET write_seq = tw.write_seq + 1`,
    [account_id, type_id]
  )
}

/** How many records of a type there are, archived and merged ones included. */
export async function countRecords(tx: Tx, account_id: number, type_id: number): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `/* record_types.count_records */
    SELECT count(*) AS count
    FROM records r
    WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint`,
    [account_id, type_id]
  )
  return rows[0]?.count ?? 0
}

/** Whether a type has any record; does not count them. */
export async function hasRecords(tx: Tx, account_id: number, type_id: number): Promise<boolean> {
  const { rows } = await tx.query<{ found: boolean }>(
    `/* record_types.has_records */
    SELECT EXISTS (
      SELECT 1
      FROM records r
      WHERE r.account_id = $1::integer
        AND r.type_id = $2::smallint
    ) AS found`,
    [account_id, type_id]
  )
  return rows[0]?.found ?? false
}

/** What a field takes less of than it did. */
export interface Narrowed {
  field: string
  /** All that are left; null: as many as before. */
  options: string[] | null
  /** Most characters; null: as many as before. */
  max_length: number | null
}

/** Whether records of the type have values that a field which takes less would not take. */
export async function hasValuesOutside(
  tx: Tx,
  account_id: number,
  type_id: number,
  { field, options, max_length }: Narrowed
): Promise<boolean> {
  const { rows } = await tx.query<{ found: boolean }>(
    `/* record_types.has_values_outside */
    SELECT EXISTS (
      SELECT 1
      FROM records r
      CROSS JOIN LATERAL jsonb_path_query(r.data -> $3::text, 'lax $[*]') AS v (value)
      WHERE r.account_id = $1::integer
        AND r.type_id = $2::smallint
        AND jsonb_typeof(v.value) = 'string'
        AND (NOT (v.value #>> '{}') = ANY ($4::text[])
          OR char_length(v.value #>> '{}') > $5::integer)
    ) AS found`,
    [account_id, type_id, field, options, max_length]
  )
  return rows[0]?.found ?? false
}

/** The imports of a type that are in one of the states, held in them until the transaction ends. */
export async function holdImports(
  tx: Tx,
  account_id: number,
  type: string,
  states: string[]
): Promise<{ id: number; state: string }[]> {
  const { rows } = await tx.query<{ id: number; state: string }>(
    `/* record_types.hold_imports */
    SELECT i.id, i.state
    FROM imports i
    WHERE i.account_id = $1::integer
      AND i.type = $2::text
      AND i.state = ANY($3::text[])
    ORDER BY i.id
    FOR NO KEY UPDATE`,
    [account_id, type, states]
  )
  return rows
}
