// The route of dry runs: applying one. Everything else of a dry run is that of any import.

import { Type } from 'typebox'
import type { App } from '../../platform/http.ts'
import { noQuery, nullable, ok, problems, ref } from '../../platform/http-schemas.ts'
import type { ImportContext } from '../accept/accept-upload.ts'
import { ImportId, ImportSchema } from '../schemas.ts'
import { showImport } from '../show-import.ts'
import { applyDryRun } from './apply.ts'

const ApplyBody = nullable(
  Type.Object(
    {
      allow_partial: Type.Optional(
        Type.Boolean({
          description:
            'false: when one row has drifted, nothing is written at all. Left out: as the dry run.'
        })
      )
    },
    { additionalProperties: false }
  ),
  'May be left out.'
)

const applyImportDoc = {
  operationId: 'applyImport',
  tags: ['imports'],
  summary: 'Apply a dry run',
  description:
    'Queues an import that does exactly what the dry run showed, over the same file and with the ' +
    'same options. A row that would do anything else by now, because records have changed, is ' +
    'rejected as `drifted` with what differs. A dry run is applied once; one whose import failed ' +
    'or was cancelled before it wrote anything can be applied again.',
  params: ImportId,
  querystring: noQuery,
  body: ApplyBody,
  response: {
    202: ok('Queued.', ref(ImportSchema), {
      location: { type: 'string', description: 'Path of the new import.' }
    }),
    ...problems(
      'import_not_found',
      'import_state_conflict',
      'already_applied',
      'record_type_changed',
      'unknown_record_type',
      'another_import_running',
      'too_many_imports',
      'upload_gone',
      'rows_gone',
      'storage_unavailable',
      'body_too_large',
      'unsupported_media_type'
    )
  }
}

/** Adds the route. Needs the schemas of imports and the access guard. */
export function dryRunRoutes(app: App, context: ImportContext): void {
  const { pool, config, secrets } = context
  app.route({
    method: 'POST',
    url: '/imports/:id/apply',
    schema: applyImportDoc,
    handler: async ({ account, params: { id }, body, once }, reply) => {
      const { account_id, key_id } = account
      const { allow_partial } = body ?? {}
      const made = await applyDryRun(context, { account_id, key_id, id, allow_partial }, once)
      const json = await showImport(pool, { ...config, secrets }, account_id, made)
      return reply.code(202).header('location', json.links.self).send(json)
    }
  })
}
