// Routes of record types: which there are, defining own ones, templates of files.

import type { Pool } from '../platform/db.ts'
import type { App } from '../platform/http.ts'
import { ok, problems, ref } from '../platform/http-schemas.ts'
import { changeType, createType, removeType, requireType, typePath } from './change-types.ts'
import { TypeDefinition, TypeReplacement } from './definition.ts'
import type { ReadCell } from './read-values.ts'
import {
  RecordTypeListSchema,
  RecordTypeName,
  RecordTypeSchema,
  TemplateSchema
} from './schemas.ts'
import { loadTypes } from './store.ts'
import { templateCsv, templateJson } from './template.ts'
import { recordTypeJson } from './type-json.ts'

/** What these routes need. `readCell`: how import/ reads a cell, for the defaults of fields. */
export interface RecordTypeContext {
  pool: Pool
  readCell: ReadCell
}

/** Adds the routes of this module. Needs the access guard (`request.account`). */
export function recordTypeRoutes(app: App, context: RecordTypeContext): void {
  app.addSchema(RecordTypeSchema)
  app.addSchema(RecordTypeListSchema)
  app.addSchema(TemplateSchema)
  readRoutes(app, context)
  templateRoutes(app, context)
  changeRoutes(app, context)
  deleteRoute(app, context)
}

function readRoutes(app: App, { pool }: RecordTypeContext): void {
  app.route({
    method: 'GET',
    url: '/record-types',
    schema: {
      operationId: 'listRecordTypes',
      tags: ['record types'],
      summary: 'List record types',
      description: 'All record types of the account with their fields and match rules.',
      response: { 200: ok('All record types.', ref(RecordTypeListSchema)), ...problems() }
    },
    handler: async ({ account }) => {
      const types = await loadTypes(pool, account.account_id)
      return { data: types.list.map(recordTypeJson) }
    }
  })

  app.route({
    method: 'GET',
    url: '/record-types/:name',
    schema: {
      operationId: 'getRecordType',
      tags: ['record types'],
      summary: 'Get a record type',
      description: 'Its fields, and how a row finds the record it belongs to.',
      params: RecordTypeName,
      response: {
        200: ok('The record type.', ref(RecordTypeSchema)),
        ...problems('record_type_not_found')
      }
    },
    handler: async ({ account, params }) =>
      recordTypeJson(requireType(await loadTypes(pool, account.account_id), params.name))
  })
}

function templateRoutes(app: App, { pool }: RecordTypeContext): void {
  app.route({
    method: 'GET',
    url: '/record-types/:name/template.csv',
    schema: {
      operationId: 'downloadTemplate',
      tags: ['record types'],
      summary: 'Download a template',
      description:
        'A file to fill in: the header, and one sample row that shows how cells are written. Take ' +
        'the sample row out before sending the file; one that was left in is skipped.',
      params: RecordTypeName,
      response: {
        200: {
          description: 'CSV in UTF-8.',
          headers: {
            'content-disposition': { type: 'string', description: 'Name of the file.' }
          },
          content: { 'text/csv': { schema: { type: 'string', description: 'The template.' } } }
        },
        ...problems('record_type_not_found')
      }
    },
    handler: async ({ account, params }, reply) => {
      const type = requireType(await loadTypes(pool, account.account_id), params.name)
      reply.header('content-disposition', `attachment; filename="${type.name}-template.csv"`)
      return reply.type('text/csv; charset=utf-8; header=present').send(templateCsv(type))
    }
  })

  app.route({
    method: 'GET',
    url: '/record-types/:name/template.json',
    schema: {
      operationId: 'getTemplate',
      tags: ['record types'],
      summary: 'Explain a template',
      description: 'The columns of the template: which are required, and what their cells hold.',
      params: RecordTypeName,
      response: {
        200: ok('The columns.', ref(TemplateSchema)),
        ...problems('record_type_not_found')
      }
    },
    handler: async ({ account, params }) =>
      templateJson(requireType(await loadTypes(pool, account.account_id), params.name))
  })
}

function changeRoutes(app: App, context: RecordTypeContext): void {
  app.route({
    method: 'POST',
    url: '/record-types',
    schema: {
      operationId: 'createRecordType',
      tags: ['record types'],
      summary: 'Define a record type',
      description:
        'A type of your own. A definition that makes no sense is refused with everything that is ' +
        'wrong with it. The answer shows what was added and derived.',
      body: TypeDefinition,
      response: {
        201: ok('The record type.', ref(RecordTypeSchema), {
          location: { type: 'string', description: 'Its address.' }
        }),
        ...problems('type_invalid', 'type_conflict', 'body_too_large', 'unsupported_media_type')
      }
    },
    handler: async ({ account, body, once }, reply) => {
      const type = await createType({ ...context, ...account }, body, once)
      reply.header('location', typePath(type))
      return reply.code(201).send(recordTypeJson(type))
    }
  })

  app.route({
    method: 'PUT',
    url: '/record-types/:name',
    schema: {
      operationId: 'replaceRecordType',
      tags: ['record types'],
      summary: 'Change a record type',
      description:
        'Replaces the definition of a type of your own, or what you add to a built-in type. ' +
        'Refused where records would be torn: fields of records keep their kind, options and ' +
        'lengths that records use stay, and match rules can then only be taken away. Values of a field that is left out stay in the records.',
      params: RecordTypeName,
      body: TypeReplacement,
      response: {
        200: ok('The record type.', ref(RecordTypeSchema)),
        ...problems(
          'record_type_not_found',
          'type_invalid',
          'type_conflict',
          'body_too_large',
          'unsupported_media_type'
        )
      }
    },
    handler: async ({ account, params, body }) =>
      recordTypeJson(await changeType({ ...context, ...account }, params.name, body))
  })
}

function deleteRoute(app: App, context: RecordTypeContext): void {
  app.route({
    method: 'DELETE',
    url: '/record-types/:name',
    schema: {
      operationId: 'deleteRecordType',
      tags: ['record types'],
      summary: 'Delete a record type',
      description: 'Only a type of your own without records, which no other type refers to.',
      params: RecordTypeName,
      response: {
        204: { description: 'It is gone.', type: 'null' },
        ...problems('record_type_not_found', 'type_conflict')
      }
    },
    handler: async ({ account, params }, reply) => {
      await removeType({ ...context, ...account }, params.name)
      return reply.code(204).send(null)
    }
  })
}
