// Routes of import profiles: options of an import under a name.
// A route is its schema and a handler that calls one verb; only this file sees request and reply.

import { readCursor, toPage } from '../../platform/cursor.ts'
import { type Pool, withTransaction } from '../../platform/db.ts'
import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import { loadTypes } from '../../record-types/store.ts'
import { makeProfile, profileJson } from './save-profile.ts'
import {
  NewProfile,
  ProfileListQuery,
  ProfileName,
  ProfilePageSchema,
  ProfileSchema,
  WholeProfile
} from './schemas.ts'
import {
  deleteProfile,
  insertProfile,
  listProfiles,
  replaceProfile,
  requireProfile
} from './store.ts'

const tags = ['imports']
const location = { type: 'string', description: 'Path of the profile.' } as const
const faults = [
  'invalid_option',
  'unknown_record_type',
  'mapping_invalid',
  'body_too_large',
  'unsupported_media_type'
] as const

/** Adds the routes of this module. Needs the access guard. */
export function profileRoutes(app: App, { pool }: { pool: Pool }): void {
  app.addSchema(ProfileSchema)
  app.addSchema(ProfilePageSchema)
  addReading(app, pool)
  addChanges(app, pool)
}

const createDoc = {
  operationId: 'createImportProfile',
  tags,
  summary: 'Save options under a name',
  description:
    'Mapping and options that `profile=<name>` on POST /imports applies. What an import says itself ' +
    'wins over its profile.',
  body: NewProfile,
  response: {
    201: ok('Saved.', ref(ProfileSchema), { location }),
    ...problems('profile_conflict', ...faults)
  }
}

const listDoc = {
  operationId: 'listImportProfiles',
  tags,
  summary: 'List import profiles',
  description: 'All profiles of the account, oldest first.',
  querystring: ProfileListQuery,
  response: {
    200: ok('A page of profiles.', ref(ProfilePageSchema)),
    ...problems('invalid_cursor')
  }
}

const getDoc = {
  operationId: 'getImportProfile',
  tags,
  summary: 'Get an import profile',
  description: 'What the profile says, as it was saved.',
  params: ProfileName,
  response: { 200: ok('The profile.', ref(ProfileSchema)), ...problems('profile_not_found') }
}

function addReading(app: App, pool: Pool): void {
  app.route({
    method: 'GET',
    url: '/import-profiles',
    schema: listDoc,
    handler: async ({ account: { account_id }, query: { cursor, limit } }) => {
      const after = readCursor(cursor, 0)
      const rows = await listProfiles(pool, account_id, { after, limit: limit + 1 })
      const { data, next_cursor } = toPage(rows, limit, (row) => row.id)
      return { data: data.map(profileJson), next_cursor }
    }
  })

  app.route({
    method: 'GET',
    url: '/import-profiles/:name',
    schema: getDoc,
    handler: async ({ account: { account_id }, params: { name } }) =>
      profileJson(await requireProfile(pool, account_id, name))
  })
}

const replaceDoc = {
  operationId: 'replaceImportProfile',
  tags,
  summary: 'Replace an import profile',
  description:
    'Takes the whole profile anew: what is absent is not said any more. Saving it again is also ' +
    'what mends a profile that no longer fits its record type (`profile_stale`).',
  params: ProfileName,
  body: WholeProfile,
  response: {
    200: ok('Replaced.', ref(ProfileSchema)),
    ...problems('profile_not_found', 'profile_conflict', ...faults)
  }
}

const deleteDoc = {
  operationId: 'deleteImportProfile',
  tags,
  summary: 'Delete an import profile',
  description: 'Imports that were made with it stay as they are.',
  params: ProfileName,
  response: { 204: { description: 'Deleted.', type: 'null' }, ...problems('profile_not_found') }
} as const

function addChanges(app: App, pool: Pool): void {
  app.route({
    method: 'POST',
    url: '/import-profiles',
    schema: createDoc,
    handler: async ({ account: { account_id }, body, once }, reply) => {
      const types = await loadTypes(pool, account_id)
      const profile = makeProfile(types, body.name, body)
      const location = `/import-profiles/${encodeURIComponent(profile.name)}`
      const row = await withTransaction(pool, async (tx) => {
        const made = await insertProfile(tx, account_id, profile)
        await once?.record(tx, { status: 201, location })
        return made
      })
      return reply.code(201).header('location', location).send(profileJson(row))
    }
  })

  app.route({
    method: 'PUT',
    url: '/import-profiles/:name',
    schema: replaceDoc,
    handler: async ({ account: { account_id }, params: { name }, body }) => {
      const types = await loadTypes(pool, account_id)
      const profile = makeProfile(types, body.name ?? name, body)
      return profileJson(await replaceProfile(pool, account_id, name, profile))
    }
  })

  app.route({
    method: 'DELETE',
    url: '/import-profiles/:name',
    schema: deleteDoc,
    handler: async ({ account: { account_id }, params: { name } }, reply) => {
      await deleteProfile(pool, account_id, name)
      return reply.code(204).send(null)
    }
  })
}
