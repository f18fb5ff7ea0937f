// The route of pushing: telling others of the records of an import that were held.

import { Type } from 'typebox'
import type { ImportContext } from '../../import/accept/accept-upload.ts'
import { ImportId, ImportSchema } from '../../import/schemas.ts'
import { showImport } from '../../import/show-import.ts'
import type { App } from '../../platform/http.ts'
import { ok, oneOf, problems, ref } from '../../platform/http-schemas.ts'
import { startPush } from './start-push.ts'

const PushBody = Type.Object(
  {
    what: oneOf(
      ['created', 'updated', 'all'],
      'Which records: those the import made, those it changed, or both.'
    ),
    record_ids: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, description: 'Id of a record.' }), {
        minItems: 1,
        maxItems: 1_000,
        description: 'Only these records of the import. Left out: all.'
      })
    )
  },
  { additionalProperties: false }
)

const pushImportDoc = {
  operationId: 'pushImport',
  tags: ['imports'],
  summary: 'Push the records of an import',
  description:
    'Events `record.created` and `record.updated` tell of the records that were held, as they are ' +
    'now, up to 100 in each, in the order of the file; records of other types that rows named come ' +
    'first. What was pushed before, is gone, or was changed back is left out. `not_pushed` of the ' +
    'import counts what is left.',
  params: ImportId,
  body: PushBody,
  response: {
    202: ok('The events are being written.', ref(ImportSchema)),
    ...problems('import_not_found', 'import_state_conflict', 'rows_gone')
  }
}

/** Adds the route. Needs the schemas of the import routes. */
export function pushRoutes(
  app: App,
  { pool, config, secrets }: Pick<ImportContext, 'pool' | 'config' | 'secrets'>
): void {
  app.route({
    method: 'POST',
    url: '/imports/:id/push',
    schema: pushImportDoc,
    handler: async (
      { account: { account_id, key_id }, params: { id }, body, once, log },
      reply
    ) => {
      const { what, record_ids = null } = body
      await startPush(pool, { account_id, key_id, id, what, record_ids }, once)
      log.info({ import_id: id, key_id, what }, 'push asked for')
      const json = await showImport(pool, { ...config, secrets }, account_id, id)
      return reply.code(202).send(json)
    }
  })
}
