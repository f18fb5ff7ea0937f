// Routes of what happens to an import after it was sent: pause, resume, cancel, retry.
// Each answers with the import, whose counts say what was reached.

import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import type { ImportContext } from '../accept/accept-upload.ts'
import { ImportId, ImportSchema } from '../schemas.ts'
import { showImport } from '../show-import.ts'
import type { ImportState } from '../status.ts'
import { retryImport } from './retry-import.ts'
import { type Change, cancelImport, pauseImport, resumeImport } from './stop-import.ts'

const tags = ['imports']

const pauseImportDoc = {
  operationId: 'pauseImport',
  tags,
  summary: 'Pause an import',
  description:
    'A queued import is paused at once. A running one ends its batch first, and keeps what was ' +
    'written and its place in the file. One that writes everything or nothing (and a dry run) is a ' +
    'single transaction: it is undone, and begins anew. Pausing again is no error.',
  params: ImportId,
  response: {
    200: ok('Paused.', ref(ImportSchema)),
    202: ok('Running; it will be paused after the batch in flight.', ref(ImportSchema)),
    ...problems('import_not_found', 'import_state_conflict', 'unsupported_media_type')
  }
}

const resumeImportDoc = {
  operationId: 'resumeImport',
  tags,
  summary: 'Let a paused import go on',
  description:
    'Puts it back in line, behind the imports of its type that wait already; it goes on where it ' +
    'was. Where its worker has not paused yet, it just goes on. Resuming an import that is queued ' +
    'or running is no error.',
  params: ImportId,
  response: {
    202: ok('Queued or running.', ref(ImportSchema)),
    ...problems('import_not_found', 'import_state_conflict', 'unsupported_media_type')
  }
}

const cancelImportDoc = {
  operationId: 'cancelImport',
  tags,
  summary: 'Cancel an import',
  description:
    'Ends a draft, a queued or a paused import at once. A running one ends its batch first: what ' +
    'was written stays, and the outcomes say how far it came. Cancelling again is no error.',
  params: ImportId,
  response: {
    200: ok('Cancelled.', ref(ImportSchema)),
    202: ok('Running; it will stop after the batch in flight.', ref(ImportSchema)),
    ...problems('import_not_found', 'import_state_conflict', 'unsupported_media_type')
  }
}

const retryImportDoc = {
  operationId: 'retryImport',
  tags,
  summary: 'Retry an import',
  description:
    'Puts an import that was cancelled, has failed or has failed rows back in line: rows that were ' +
    'not reached, and rows with outcome `failed`, which lose that outcome and are taken after the ' +
    'others. A dry run begins anew. Rows that are in and rows that were rejected stay as they are.',
  params: ImportId,
  response: {
    202: ok('Queued.', ref(ImportSchema)),
    ...problems(
      'import_not_found',
      'import_state_conflict',
      'nothing_to_retry',
      'already_applied',
      'record_type_changed',
      'unknown_record_type',
      'required_column_unmapped',
      'another_import_running',
      'too_many_imports',
      'upload_gone',
      'rows_gone',
      'unsupported_media_type'
    )
  }
}

/** Adds the routes; the schemas of imports are there. */
export function lifecycleRoutes(app: App, context: ImportContext): void {
  const { pool, config, secrets } = context
  const docs = {
    pause: pauseImportDoc,
    resume: resumeImportDoc,
    cancel: cancelImportDoc,
    retry: retryImportDoc
  }
  const verbs: Record<keyof typeof docs, (change: Change) => Promise<ImportState>> = {
    pause: (change) => pauseImport(context, change),
    resume: (change) => resumeImport(context, change),
    cancel: (change) => cancelImport(context, change),
    retry: async (change) => {
      await retryImport(context, change)
      return 'queued'
    }
  }
  for (const verb of Object.keys(docs) as (keyof typeof docs)[]) {
    app.route({
      method: 'POST',
      url: `/imports/:id/${verb}`,
      // They differ in their texts; only pause and cancel answer 200.
      schema: docs[verb] as typeof pauseImportDoc,
      handler: async ({ account: { account_id }, params: { id }, once }, reply) => {
        const state = await verbs[verb]({ account_id, id, once })
        reply.code(state === 'paused' || state === 'cancelled' ? 200 : 202)
        return reply.send(await showImport(pool, { ...config, secrets }, account_id, id))
      }
    })
  }
}
