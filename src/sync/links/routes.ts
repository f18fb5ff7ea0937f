// Routes of links: what a record is in other systems, said by the connectors that write there.

import type { ImportContext } from '../../import/accept/accept-upload.ts'
import { readCursor, toPage } from '../../platform/cursor.ts'
import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { loadTypes } from '../../record-types/store.ts'
import { findRecord } from '../../records/list-records.ts'
import { changeLink } from './change-link.ts'
import {
  LinkedRecord,
  LinkListQuery,
  LinkPageSchema,
  LinkPlace,
  LinkPut,
  LinkSchema,
  LinksSchema
} from './schemas.ts'
import { type LinkRow, listLinks, pageLinks } from './store.ts'

const tags = ['links']

type Context = Pick<ImportContext, 'pool'>

/** Adds the routes. Needs the access guard (`request.account`). */
export function linkRoutes(app: App, context: Context): void {
  for (const schema of [LinkSchema, LinkPageSchema, LinksSchema]) app.addSchema(schema)
  addReading(app, context)
  addChanging(app, context)
}

function addReading(app: App, { pool }: Context): void {
  app.route({
    method: 'GET',
    url: '/links',
    schema: {
      operationId: 'listLinks',
      tags,
      summary: 'List links',
      description:
        'Links of all records, by system and state: orphans, errors, what is to be written.',
      querystring: LinkListQuery,
      response: { 200: ref(LinkPageSchema), ...problems('invalid_cursor') }
    },
    handler: async ({ account: { account_id }, query }) => {
      const { system = null, state = null, limit } = query
      const after = readCursor(query.cursor, 0)
      const rows = await pageLinks(pool, account_id, { system, state, after, limit: limit + 1 })
      const { data, next_cursor } = toPage(rows, limit, ({ id }) => id)
      const types = await loadTypes(pool, account_id)
      return { data: data.map((row) => linkJson(types, row)), next_cursor }
    }
  })

  app.route({
    method: 'GET',
    url: '/records/:id/links',
    schema: {
      operationId: 'listRecordLinks',
      tags,
      summary: 'List the links of a record',
      description: 'What the record is in other systems; also of one that was deleted.',
      params: LinkedRecord,
      response: { 200: ref(LinksSchema), ...problems('record_not_found') }
    },
    handler: async ({ account: { account_id }, params: { id } }) => {
      const rows = await listLinks(pool, account_id, id, null)
      if (rows.length === 0) await findRecord(pool, account_id, id)
      const types = await loadTypes(pool, account_id)
      return { data: rows.map((row) => linkJson(types, row)) }
    }
  })

  app.route({
    method: 'GET',
    url: '/records/:id/links/:system',
    schema: {
      operationId: 'getRecordLink',
      tags,
      summary: 'Get a link of a record',
      description: 'What the record is in one system; `not_synced` where there is no link.',
      params: LinkPlace,
      response: { 200: ref(LinkSchema), ...problems('record_not_found') }
    },
    handler: ({ account: { account_id }, params: { id, system } }) =>
      showLink({ pool }, account_id, id, system)
  })
}

function addChanging(app: App, { pool }: Context): void {
  app.route({
    method: 'PUT',
    url: '/records/:id/links/:system',
    schema: {
      operationId: 'putRecordLink',
      tags,
      summary: 'Say what a record is in another system',
      description:
        'For connectors: that it is written there (`synced`, with its external id), was refused ' +
        '(`error`), is gone there (`orphaned`); and for people: pause a link (`disabled`), let it go ' +
        'on (`pending`), take it off (`disconnected`), put it on again (`pending`). Saying the same ' +
        'again is no error. Events `sync.updated` and `sync.failed` tell of it.',
      params: LinkPlace,
      body: LinkPut,
      response: {
        200: ok('The link as it is now.', ref(LinkSchema)),
        ...problems('record_not_found', 'link_state_conflict', 'link_taken', 'record_busy')
      }
    },
    handler: async ({ account, params: { id, system }, body }) => {
      const { account_id, key_id } = account
      await changeLink(pool, { account_id, key_id, record_id: id, system, ...body } as Parameters<
        typeof changeLink
      >[1])
      return showLink({ pool }, account_id, id, system)
    }
  })

  app.route({
    method: 'DELETE',
    url: '/records/:id/links/:system',
    schema: {
      operationId: 'disconnectRecordLink',
      tags,
      summary: 'Take a link off',
      description:
        'The same as state `disconnected`: the data stays, the external id is remembered, and ' +
        'nothing is written there any more. A link at work is disabled first.',
      params: LinkPlace,
      response: {
        200: ok('The link as it is now.', ref(LinkSchema)),
        ...problems('record_not_found', 'link_state_conflict', 'record_busy')
      }
    },
    handler: async ({ account: { account_id, key_id }, params: { id, system } }) => {
      const state = 'disconnected' as const
      await changeLink(pool, { account_id, key_id, record_id: id, system, state })
      return showLink({ pool }, account_id, id, system)
    }
  })
}

/** Throws record_not_found. */
async function showLink({ pool }: Context, account_id: number, id: number, system: string) {
  const types = await loadTypes(pool, account_id)
  const [row] = await listLinks(pool, account_id, id, system)
  if (row) return linkJson(types, row)
  const { type } = await findRecord(pool, account_id, id)
  const never = { external_id: null, error: null, created_at: null, changed_at: null }
  return { record_id: id, type: type.name, system, state: 'not_synced' as const, ...never }
}

function linkJson(types: TypeCatalogue, row: LinkRow) {
  const { record_id, type_id, system, state, external_id, error } = row
  return {
    record_id,
    type: types.getById(type_id)?.name ?? null,
    system,
    state,
    external_id,
    error,
    created_at: row.created_at.toISOString(),
    changed_at: row.changed_at.toISOString()
  }
}
