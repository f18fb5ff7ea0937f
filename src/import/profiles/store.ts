// Import profiles in the database. Every statement names the account.

import { appError } from '../../errors.ts'
import type { Db } from '../../platform/db.ts'
import type { Choices } from '../accept/options.ts'
import type { FieldFacts } from './profile-facts.ts'

/** What a profile says; a whole one replaces the one before. */
export interface Profile {
  name: string
  type: string
  /** All choices but the mapping. */
  options: Choices
  mapping: Record<string, string | null>
  fields: FieldFacts[]
}

/** One row of `import_profiles`. */
export interface ProfileRow extends Profile {
  id: number
  version: number
  created_at: Date
  updated_at: Date
}

const columns =
  'p.id, p.name, p.type, p.options, p.mapping, p.fields, p.version, p.created_at, p.updated_at'

/** The profile of that name. Throws profile_not_found. */
export async function requireProfile(
  db: Db,
  account_id: number,
  name: string
): Promise<ProfileRow> {
  const { rows } = await db.query<ProfileRow>(
    `/* import_profiles.get */
    SELECT ${columns}
    FROM import_profiles p
    WHERE p.account_id = $1::integer
      AND p.name = $2::text`,
    [account_id, name]
  )
  return orNotFound(rows[0], name)
}

/** Profiles in the order they were made. */
export async function listProfiles(
  db: Db,
  account_id: number,
  { after, limit }: { after: number; limit: number }
): Promise<ProfileRow[]> {
  const { rows } = await db.query<ProfileRow>(
    `/* import_profiles.list */
    SELECT ${columns}
    FROM import_profiles p
    WHERE p.account_id = $1::integer
      AND p.id > $2::integer
    ORDER BY p.id
    LIMIT $3::integer`,
    [account_id, after, limit]
  )
  return rows
}

/** Adds a profile. Throws profile_conflict when the name is taken. */
export async function insertProfile(
  db: Db,
  account_id: number,
  profile: Profile
): Promise<ProfileRow> {
  const { rows } = await db.query<ProfileRow>(
    `/* import_profiles.insert */
    INSERT INTO import_profiles AS p (account_id, name, type, options, mapping, fields)
    VALUES ($1::integer, $2::text, $3::text, $4::jsonb, $5::jsonb, $6::jsonb)
    ON CONFLICT (account_id, name) DO NOTHING
    RETURNING ${columns}`,
    [account_id, ...valuesOf(profile)]
  )
  const [row] = rows
  if (!row) throw appError('profile_conflict', { profile: profile.name })
  return row
}

/** Replaces the profile `name`, which may get another name. Throws profile_not_found,
 *  profile_conflict. */
export async function replaceProfile(
  db: Db,
  account_id: number,
  name: string,
  profile: Profile
): Promise<ProfileRow> {
  const { rows } = await db
    .query<ProfileRow>(
      `/* import_profiles.replace */
    UPDATE import_profiles p
    SET name = $2::text, type = $3::text, options = $4::jsonb, mapping = $5::jsonb,
      fields = $6::jsonb, version = p.version + 1, updated_at = now()
    WHERE p.account_id = $1::integer
      AND p.name = $7::text
    RETURNING ${columns}`,
      [account_id, ...valuesOf(profile), name]
    )
    .catch((error) => {
      if ((error as { code?: string }).code !== '23505') throw error
      throw appError('profile_conflict', { profile: profile.name }, { cause: error })
    })
  return orNotFound(rows[0], name)
}

/** Deletes a profile; imports made with it keep its name. Throws profile_not_found. */
export async function deleteProfile(db: Db, account_id: number, name: string): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    `/* import_profiles.delete */
    DELETE FROM import_profiles p
    WHERE p.account_id = $1::integer
      AND p.name = $2::text
    RETURNING p.name`,
    [account_id, name]
  )
  orNotFound(rows[0], name)
}

function valuesOf({ name, type, options, mapping, fields }: Profile): string[] {
  return [name, type, JSON.stringify(options), JSON.stringify(mapping), JSON.stringify(fields)]
}

function orNotFound<T>(row: T | undefined, name: string): T {
  if (!row) throw appError('profile_not_found', { profile: name.slice(0, 100) })
  return row
}
