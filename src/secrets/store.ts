// Every place of the database that holds encrypted values, counted and rewritten. Three forms: values
// of fields in jsonb (records, history), cells of rows that were kept, and columns of webhooks.
// Called by status.ts, rotate.ts and sensitive-types.ts. Statements run over whole accounts: the
// pool has no statement timeout.

import type { Db, Tx } from '../platform/db.ts'
import type { Field, Json } from '../record-types/types.ts'

/** How many values are under a key; `''`: they are not encrypted. */
export type KeyCounts = Map<string, number>

/** Which row; the parts are those of its table's key. */
export interface RowPlace {
  id: number
  part: number
}

const jsonPlaces = {
  records: {
    table: 'records',
    column: 'data',
    id: 'x.id',
    part: '0',
    after: 'x.id > $4::bigint AND $5::integer IS NOT NULL'
  },
  history: {
    table: 'record_changes',
    column: 'before',
    id: 'x.record_id',
    part: 'x.version',
    after: '(x.record_id, x.version) > ($4::bigint, $5::integer)'
  }
} as const
export type JsonPlace = keyof typeof jsonPlaces

const cellPlaces = { rows: 'import_rows', waiting_rows: 'import_waiting_rows' } as const
export type CellPlace = keyof typeof cellPlaces

/** The definitions of all versions of the account's types. */
export async function listTypeVersions(db: Db, account_id: number) {
  const { rows } = await db.query<{ type_id: number; definition: { fields: Field[] } }>(
    `/* secrets.list_type_versions */
    SELECT v.type_id, v.definition
    FROM record_type_versions v
    WHERE v.account_id = $1::integer`,
    [account_id]
  )
  return rows
}

/** Ids of the imports whose type is none of those named. */
export async function listImportsOf(db: Db, account_id: number, notTypes: string[]) {
  const { rows } = await db.query<{ id: number }>(
    `/* secrets.list_imports */
    SELECT i.id
    FROM imports i
    WHERE i.account_id = $1::integer
      AND NOT i.type = ANY ($2::text[])
    ORDER BY i.id`,
    [account_id, notTypes]
  )
  return rows.map(({ id }) => id)
}

// A field holds a text or a list of texts: `$[*]` of either is its texts.
const fieldTexts = (column: string) => `unnest($3::text[]) AS f (name)
      CROSS JOIN LATERAL jsonb_path_query(x.${column} -> f.name, 'lax $[*]') AS v (value)
      WHERE jsonb_typeof(v.value) = 'string'`

const keyOfText = (text: string) =>
  `CASE WHEN starts_with(${text}, 'enc:1:') THEN split_part(${text}, ':', 3) ELSE '' END`

/** Counts the values of a type's fields by key. */
export async function countJson(
  db: Db,
  place: JsonPlace,
  { account_id, type_id, fields }: { account_id: number; type_id: number; fields: string[] }
): Promise<KeyCounts> {
  const { table, column } = jsonPlaces[place]
  return counts(
    await db.query(
      `/* secrets.count_${place} */
    SELECT t.key_id, count(*) AS count
    FROM ${table} x
    CROSS JOIN LATERAL (
      SELECT ${keyOfText(`(v.value #>> '{}')`)} AS key_id
      FROM ${fieldTexts(column)}
    ) t
    WHERE x.account_id = $1::integer
      AND x.type_id = $2::smallint
    GROUP BY t.key_id`,
      [account_id, type_id, fields]
    )
  )
}

/** Counts encrypted cells by key. */
export async function countCells(
  db: Db,
  place: CellPlace,
  { account_id, import_ids }: { account_id: number; import_ids: number[] }
): Promise<KeyCounts> {
  return counts(
    await db.query(
      `/* secrets.count_${place} */
    SELECT split_part(c.cell, ':', 3) AS key_id, count(*) AS count
    FROM ${cellPlaces[place]} x
    CROSS JOIN LATERAL unnest(x.cells) AS c (cell)
    WHERE x.account_id = $1::integer
      AND x.import_id = ANY ($2::bigint[])
      AND x.cells IS NOT NULL
      AND starts_with(c.cell, 'enc:1:')
    GROUP BY 1`,
      [account_id, import_ids]
    )
  )
}

function counts({ rows }: { rows: { key_id: string; count: number }[] }): KeyCounts {
  return new Map(rows.map(({ key_id, count }) => [key_id, count]))
}

/** Takes the turn to write a type, as imports do, until the transaction ends: without it, an import
 *  that has read a record would put the old form of its secrets back. */
export async function lockType(tx: Tx, account_id: number, type_id: number): Promise<void> {
  await tx.query(
    `/* secrets.lock_type */
    INSERT INTO type_writes AS tw (account_id, type_id, write_seq)
    VALUES ($1::integer, $2::smallint, 1)
    ON CONFLICT (account_id, type_id) DO UPDATE SET write_seq = tw.write_seq + 1`,
    [account_id, type_id]
  )
}

/** What a page of old values is asked with. */
interface Page {
  account_id: number
  after: RowPlace
  /** `enc:1:<current key>:`: how a value begins that is as it should be. */
  prefix: string
  limit: number
}

/** Rows of a type with a value that is not under the current key, with the values of `fields`;
 *  locked. */
export async function lockOldJson(
  tx: Tx,
  place: JsonPlace,
  page: Page & { type_id: number; fields: string[] }
) {
  const { table, column, id, part, after } = jsonPlaces[place]
  const { rows } = await tx.query<RowPlace & { values: Record<string, Json> }>(
    `/* secrets.lock_old_${place} */
    SELECT ${id} AS id, ${part} AS part, (
        SELECT jsonb_object_agg(f.name, x.${column} -> f.name)
        FROM unnest($3::text[]) AS f (name)
        WHERE x.${column} ? f.name
      ) AS values
    FROM ${table} x
    WHERE x.account_id = $1::integer
      AND x.type_id = $2::smallint
      AND ${after}
      AND EXISTS (
        SELECT 1
        FROM ${fieldTexts(column)}
          AND NOT starts_with(v.value #>> '{}', $6::text)
      )
    ORDER BY ${place === 'records' ? 'x.id' : 'x.record_id, x.version'}
    LIMIT $7::integer
    FOR UPDATE`,
    [
      page.account_id,
      page.type_id,
      page.fields,
      page.after.id,
      page.after.part,
      page.prefix,
      page.limit
    ]
  )
  return rows
}

/** Puts values in the place of those of the same fields. It is no change of the records: version,
 *  times and history stay. */
export async function updateJson(
  tx: Tx,
  place: JsonPlace,
  account_id: number,
  type_id: number,
  rows: (RowPlace & { values: Record<string, Json> })[]
): Promise<void> {
  const { table, column, id, part } = jsonPlaces[place]
  await tx.query(
    `/* secrets.update_${place} */
    UPDATE ${table} x
    SET ${column} = x.${column} || u.values::jsonb
    FROM unnest($3::bigint[], $4::integer[], $5::text[]) AS u (id, part, values)
    WHERE x.account_id = $1::integer
      AND x.type_id = $2::smallint
      AND ${id} = u.id
      AND ${part} = u.part`,
    [
      account_id,
      type_id,
      rows.map((row) => row.id),
      rows.map((row) => row.part),
      rows.map((row) => JSON.stringify(row.values))
    ]
  )
}

/** Kept rows with a cell that is encrypted, but not under the current key; locked. `id` is the
 *  import, `part` the row. */
export async function lockOldCells(
  tx: Tx,
  place: CellPlace,
  page: Page & { import_ids: number[] }
) {
  const { rows } = await tx.query<RowPlace & { cells: string[] }>(
    `/* secrets.lock_old_${place} */
    SELECT x.import_id AS id, x.row_number AS part, x.cells
    FROM ${cellPlaces[place]} x
    WHERE x.account_id = $1::integer
      AND x.import_id = ANY ($2::bigint[])
      AND (x.import_id, x.row_number) > ($3::bigint, $4::integer)
      AND x.cells IS NOT NULL
      AND EXISTS (
        SELECT 1
        FROM unnest(x.cells) AS c (cell)
        WHERE starts_with(c.cell, 'enc:1:')
          AND NOT starts_with(c.cell, $5::text)
      )
    ORDER BY x.import_id, x.row_number
    LIMIT $6::integer
    FOR UPDATE`,
    [page.account_id, page.import_ids, page.after.id, page.after.part, page.prefix, page.limit]
  )
  return rows
}

/** Puts cells in the place of those of kept rows. */
export async function updateCells(
  tx: Tx,
  place: CellPlace,
  account_id: number,
  rows: (RowPlace & { cells: string[] })[]
): Promise<void> {
  await tx.query(
    `/* secrets.update_${place} */
    UPDATE ${cellPlaces[place]} x
    SET cells = ARRAY (
      SELECT c.cell
      FROM jsonb_array_elements_text(u.cells::jsonb) WITH ORDINALITY AS c (cell, place)
      ORDER BY c.place
    )
    FROM unnest($2::bigint[], $3::integer[], $4::text[]) AS u (id, part, cells)
    WHERE x.account_id = $1::integer
      AND x.import_id = u.id
      AND x.row_number = u.part`,
    [
      account_id,
      rows.map((row) => row.id),
      rows.map((row) => row.part),
      rows.map((row) => JSON.stringify(row.cells))
    ]
  )
}

/** Counts the encrypted columns of webhook endpoints by key. */
export async function countWebhooks(db: Db, account_id: number): Promise<KeyCounts> {
  return counts(
    await db.query(
      `/* secrets.count_webhooks */
    SELECT split_part(t.token, ':', 3) AS key_id, count(*) AS count
    FROM webhook_endpoints w
    CROSS JOIN LATERAL unnest(ARRAY[w.secret, w.old_secret, w.headers]) AS t (token)
    WHERE w.account_id = $1::integer
      AND t.token IS NOT NULL
    GROUP BY 1`,
      [account_id]
    )
  )
}

/** The encrypted columns of one endpoint. */
export interface WebhookTokens extends RowPlace {
  secret: string
  old_secret: string | null
  headers: string | null
}

/** Endpoints with a column that is not under the current key; locked. */
export async function lockOldWebhooks(tx: Tx, page: Page): Promise<WebhookTokens[]> {
  const { rows } = await tx.query<WebhookTokens>(
    `/* secrets.lock_old_webhooks */
    SELECT w.id, 0 AS part, w.secret, w.old_secret, w.headers
    FROM webhook_endpoints w
    WHERE w.account_id = $1::integer
      AND w.id > $2::bigint
      AND NOT (
        starts_with(w.secret, $3::text)
        AND starts_with(COALESCE(w.old_secret, $3::text), $3::text)
        AND starts_with(COALESCE(w.headers, $3::text), $3::text)
      )
    ORDER BY w.id
    LIMIT $4::integer
    FOR NO KEY UPDATE`,
    [page.account_id, page.after.id, page.prefix, page.limit]
  )
  return rows
}

/** Puts tokens in the place of those of the same endpoints. */
export async function updateWebhooks(
  tx: Tx,
  account_id: number,
  rows: WebhookTokens[]
): Promise<void> {
  await tx.query(
    `/* secrets.update_webhooks */
    UPDATE webhook_endpoints w
    SET secret = u.secret, old_secret = u.old_secret, headers = u.headers
    FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[])
      AS u (id, secret, old_secret, headers)
    WHERE w.account_id = $1::integer
      AND w.id = u.id`,
    [
      account_id,
      rows.map((row) => row.id),
      rows.map((row) => row.secret),
      rows.map((row) => row.old_secret),
      rows.map((row) => row.headers)
    ]
  )
}
