// Idempotency keys in the database: taken before the work, answered after it, given back when
// nothing was done. In: account, key and what is known of the request. Called by idempotency.ts.
// Whoever writes names the token that the key was taken with: who lost it writes nothing.

import type { Db } from './db.ts'

/** The first request with a key, as it is asked for by another one. */
export interface StoredRequest {
  /** Method and path. */
  request: string
  /** Null while an upload is being read. */
  fingerprint: Buffer | null
  answer: StoredAnswer | null
}

export interface StoredAnswer {
  status: number
  location: string | null
  content_type: string | null
  /** Null: it is what GET `location` shows. */
  body: string | null
}

/** A key of an account, as one request holds it. */
export interface KeyHold {
  account_id: number
  key: string
  token: string
}

/** Takes a key that is free, expired, or was left by a request that died. Returns null when it was
 *  taken, else what the request has become that holds it. */
export async function takeKey(
  db: Db,
  hold: KeyHold,
  about: { request: string; fingerprint: Buffer | null; leaseMs: number; keepHours: number }
): Promise<StoredRequest | null> {
  for (;;) {
    if (await insertKey(db, hold, about)) return null
    const found = await getKey(db, hold)
    // Given back in between: then it is free.
    if (found) return found
  }
}

async function insertKey(db: Db, hold: KeyHold, about: Parameters<typeof takeKey>[2]) {
  const { rowCount } = await db.query(
    `/* idempotency.take */
    INSERT INTO idempotency_keys AS k
      (account_id, key, token, request, fingerprint, locked_until, expires_at)
    VALUES ($1::integer, $2::text, $3::uuid, $4::text, $5::bytea,
      now() + $6::integer * interval '1 ms', now() + $7::integer * interval '1 hour')
    ON CONFLICT (account_id, key) DO UPDATE
    SET token = excluded.token, request = excluded.request, fingerprint = excluded.fingerprint,
      locked_until = excluded.locked_until, expires_at = excluded.expires_at,
      status = NULL, location = NULL, content_type = NULL, body = NULL
    WHERE CASE WHEN k.status IS NULL THEN k.locked_until ELSE k.expires_at END <= now()`,
    [
      hold.account_id,
      hold.key,
      hold.token,
      about.request,
      about.fingerprint,
      about.leaseMs,
      about.keepHours
    ]
  )
  return rowCount === 1
}

async function getKey(db: Db, { account_id, key }: KeyHold): Promise<StoredRequest | null> {
  const { rows } = await db.query<
    Omit<StoredRequest, 'answer'> & Omit<StoredAnswer, 'status'> & { status: number | null }
  >(
    `/* idempotency.get */
    SELECT k.request, k.fingerprint, k.status, k.location, k.content_type, k.body
    FROM idempotency_keys k
    WHERE k.account_id = $1::integer
      AND k.key = $2::text`,
    [account_id, key]
  )
  const [row] = rows
  if (!row) return null
  const { request, fingerprint, status, ...rest } = row
  return { request, fingerprint, answer: status === null ? null : { status, ...rest } }
}

/** Stores the answer; one that was recorded without a body gets it. Returns false when somebody else
 *  has the key now. */
export async function answerKey(
  db: Db,
  { account_id, key, token }: KeyHold,
  { fingerprint, answer }: { fingerprint: Buffer; answer: StoredAnswer }
): Promise<boolean> {
  const { status, location, content_type, body } = answer
  const { rowCount } = await db.query(
    `/* idempotency.answer */
    UPDATE idempotency_keys k
    SET fingerprint = $4::bytea, status = $5::smallint, location = $6::text,
      content_type = $7::text, body = $8::text
    WHERE k.account_id = $1::integer
      AND k.key = $2::text
      AND k.token = $3::uuid`,
    [account_id, key, token, fingerprint, status, location, content_type, body]
  )
  return rowCount === 1
}

/** Gives a key back, unless something was recorded as done. */
export async function freeKey(db: Db, { account_id, key, token }: KeyHold): Promise<void> {
  await db.query(
    `/* idempotency.free */
    DELETE FROM idempotency_keys k
    WHERE k.account_id = $1::integer
      AND k.key = $2::text
      AND k.token = $3::uuid
      AND k.status IS NULL`,
    [account_id, key, token]
  )
}

/** Holds keys for longer: their requests are still running. */
export async function renewKeys(db: Db, holds: KeyHold[], leaseMs: number): Promise<void> {
  await db.query(
    `/* idempotency.renew */
    UPDATE idempotency_keys k
    SET locked_until = now() + $4::integer * interval '1 ms'
    FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS held (account_id, key, token)
    WHERE k.account_id = held.account_id
      AND k.key = held.key
      AND k.token = held.token
      AND k.status IS NULL`,
    [
      holds.map((hold) => hold.account_id),
      holds.map((hold) => hold.key),
      holds.map((hold) => hold.token),
      leaseMs
    ]
  )
}

/** Deletes up to `limit` keys of all accounts that have expired. Returns how many. */
export async function deleteExpiredKeys(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `/* idempotency.delete_expired */
    DELETE FROM idempotency_keys k
    USING (
      SELECT e.account_id, e.key
      FROM idempotency_keys e
      WHERE e.expires_at <= now()
        AND e.locked_until <= now()
      ORDER BY e.expires_at
      LIMIT $1::integer
      FOR UPDATE SKIP LOCKED
    ) AS expired
    WHERE k.account_id = expired.account_id
      AND k.key = expired.key`,
    [limit]
  )
  return rowCount ?? 0
}
