// Routes of record types: which there are, with their fields and match rules.

import { appError } from '../errors.ts'
import type { App } from '../platform/http.ts'
import { ok, problems, ref } from '../platform/http-schemas.ts'
import { getRecordType, listRecordTypes, recordTypeNames } from './registry.ts'
import {
  type RecordTypeJson,
  RecordTypeListSchema,
  RecordTypeName,
  RecordTypeSchema
} from './schemas.ts'
import type { Field, RecordType } from './types.ts'

/** Adds the routes of this module. Needs the access guard. */
export function recordTypeRoutes(app: App): void {
  app.addSchema(RecordTypeSchema)
  app.addSchema(RecordTypeListSchema)

  app.route({
    method: 'GET',
    url: '/record-types',
    schema: {
      operationId: 'listRecordTypes',
      tags: ['record types'],
      summary: 'List record types',
      description: 'All record types with their fields and match rules.',
      response: { 200: ok('All record types.', ref(RecordTypeListSchema)), ...problems() }
    },
    handler: () => ({ data: listRecordTypes().map(recordTypeJson) })
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
    handler: ({ params: { name } }) => {
      const type = getRecordType(name)
      if (type) return recordTypeJson(type)
      throw appError('record_type_not_found', { type: name, known: recordTypeNames().join(', ') })
    }
  })
}

function recordTypeJson(type: RecordType): RecordTypeJson {
  const { name, label, description, organization_field, fields, match_rules } = type
  return {
    name,
    label,
    description,
    organization_field,
    fields: fields.map(fieldJson),
    match_rules: match_rules.map((rule) => ({
      name: rule.name,
      fields: rule.fields,
      may_be_blank: rule.may_be_blank ?? [],
      folding: rule.folding,
      scope: rule.scope
    }))
  }
}

function fieldJson(field: Field): RecordTypeJson['fields'][number] {
  const { name, label, aliases, kind, description, required, reference } = field
  return {
    name,
    label,
    aliases,
    kind,
    description,
    required,
    separator: field.many?.separator ?? null,
    default: field.default ?? null,
    options: field.options ?? null,
    max_length: field.max_length ?? null,
    reference: reference ? { type: reference.type, on_missing: reference.on_missing } : null
  }
}
