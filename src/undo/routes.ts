// Routes of undo: taking an import back, and taking an undo back.

import type { ImportContext } from '../import/accept/accept-upload.ts'
import { ImportId, ImportSchema } from '../import/schemas.ts'
import { showImport } from '../import/show-import.ts'
import type { App } from '../platform/http.ts'
import { noQuery, ok, problems, ref } from '../platform/http-schemas.ts'
import { UndoBody } from './schemas.ts'
import { startUndo } from './start-undo.ts'

const location = { type: 'string', description: 'Path of the undo.' } as const

const answers = {
  202: ok('Queued: the undo, an import of kind `undo`.', ref(ImportSchema), { location }),
  ...problems(
    'import_not_found',
    'import_state_conflict',
    'nothing_to_undo',
    'rows_gone',
    'history_gone',
    'unknown_record_type',
    'another_import_running',
    'too_many_imports',
    'body_too_large',
    'unsupported_media_type'
  )
}

const docs = {
  undo: {
    operationId: 'undoImport',
    tags: ['imports'],
    summary: 'Take an import back',
    description:
      'Queues a job that deletes the records which the import made and gives those it changed their ' +
      'values of before, field by field. What somebody else changed since stays as it is, and so do ' +
      'records that others refer to; the outcome of each record says why and by whom. The job is an ' +
      'import of kind `undo`: followed, paused and cancelled like any other. Undo again takes what ' +
      'was left; the undo of an undo is `redo`.',
    params: ImportId,
    querystring: noQuery,
    body: UndoBody,
    response: answers
  },
  redo: {
    operationId: 'redoImport',
    tags: ['imports'],
    summary: 'Take an undo back',
    description:
      'Takes the id of an undo. Brings the records that it deleted back under their old ids and ' +
      'writes the values again that it took back, by the same rules: what was changed since stays. ' +
      'The same as `POST /imports/{id}/undo` with the id of the undo.',
    params: ImportId,
    querystring: noQuery,
    body: UndoBody,
    response: answers
  }
}

/** Adds the routes of this module. Needs the schemas of the import routes. */
export function undoRoutes(app: App, context: ImportContext): void {
  const { pool, config, secrets } = context
  for (const verb of ['undo', 'redo'] as const) {
    app.route({
      method: 'POST',
      url: `/imports/:id/${verb}`,
      schema: docs[verb],
      handler: async ({ account: { account_id, key_id }, params, body, once, log }, reply) => {
        const dry_run = body?.dry_run ?? false
        const request = { account_id, key_id, id: params.id, dry_run, verb }
        const id = await startUndo(context, request, once)
        log.info({ import_id: id, undo_of: params.id, key_id, dry_run }, 'undo queued')
        const json = await showImport(pool, { ...config, secrets }, account_id, id)
        return reply.code(202).header('location', json.links.self).send(json)
      }
    })
  }
}
