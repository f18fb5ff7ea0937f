// What a push has to tell of a record: from what it is now and what was told of it last. Pure.
// Called by push-page.ts.

import type { RecordRow, ToldVersion } from '../../records/store.ts'
import type { PushRow } from './store.ts'

/** created, deleted: that; changed: what the import changed of a record that nobody was told of;
 *  since: what changed since it was told of; gone: nothing, but should it come back, that is told;
 *  nothing: it was told as it is, or is gone and was told of. held: not now. */
export type Step = 'created' | 'changed' | 'since' | 'deleted' | 'gone' | 'nothing' | 'held'

/** `record`: undefined when it is gone; `told`: undefined when nobody was told of it. */
export function planTelling(
  push: Pick<PushRow, 'kind' | 'what' | 'import_id'>,
  record: RecordRow | undefined,
  told: ToldVersion | undefined
): Step {
  return push.kind === 'undo' ? ofUndo(push, record, told) : ofImport(push, record, told)
}

function ofImport(
  { what, import_id }: Pick<PushRow, 'what' | 'import_id'>,
  record: RecordRow | undefined,
  told: ToldVersion | undefined
): Step {
  // That a record of which was told is gone, the undo tells that deleted it.
  if (!record) return told ? 'nothing' : 'gone'
  if (isAsTold(record, told)) return 'nothing'
  const isMade = record.created_import_id === import_id
  if (what !== 'all' && (what === 'created') !== isMade) return 'held'
  if (told && !told.is_gone) return 'since'
  return isMade || told ? 'created' : 'changed'
}

/** An undo tells of what was told of before, whatever told it. */
function ofUndo(
  { what }: Pick<PushRow, 'what'>,
  record: RecordRow | undefined,
  told: ToldVersion | undefined
): Step {
  if (!told) return 'held'
  if (!record) return told.is_gone ? 'nothing' : 'deleted'
  if (isAsTold(record, told)) return 'nothing'
  if (told.is_gone) return what === 'updated' ? 'held' : 'created'
  return what === 'created' ? 'held' : 'since'
}

const isAsTold = ({ version }: RecordRow, told: ToldVersion | undefined) =>
  told !== undefined && !told.is_gone && told.version === version
