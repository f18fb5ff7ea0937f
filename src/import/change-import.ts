// Changing imports: the choices of a draft, starting it, cancelling. Called by routes.ts.
// Each change is one transaction that holds the import's row, or one guarded statement.

import type { Static } from 'typebox'
import { appError } from '../errors.ts'
import { type Tx, withTransaction } from '../platform/db.ts'
import { hasUpload } from '../platform/files.ts'
import type { Once } from '../platform/idempotency.ts'
import { loadTypes } from '../record-types/store.ts'
import { idField, type RecordType } from '../record-types/types.ts'
import type { ImportContext } from './accept/accept-upload.ts'
import { checkChoices } from './accept/check-choices.ts'
import { takePlace } from './accept/limits.ts'
import { readJsonChoices, readType } from './accept/options.ts'
import { checkRequired, findWanted } from './accept/plan-import.ts'
import { requireSameFields } from './check-type.ts'
import type { ImportRow } from './import-row.ts'
import { factsOf } from './profiles/profile-facts.ts'
import type { DraftPatch } from './request-schemas.ts'
import { completeOptions } from './resolve/import-options.ts'
import { parseMapping, suggestMapping } from './resolve/map-columns.ts'
import { requireImport } from './show-import.ts'
import { type ImportState, statesBefore } from './status.ts'
import { cancelImport, lockImport, queueDraft, updateDraft } from './store.ts'
import { settleUndone } from './write/undone-state.ts'

type Change = { account_id: number; id: number }

/** Changes what a draft will do. Throws import_not_found, import_state_conflict, mapping_invalid,
 *  invalid_option, organization_not_found, organization_ambiguous. */
export async function changeDraft(
  { pool }: ImportContext,
  { account_id, id }: Change,
  patch: Static<typeof DraftPatch>
): Promise<void> {
  await withTransaction(pool, async (tx) => {
    const row = await lockDraft(tx, { account_id, id }, 'changing it')
    const types = await loadTypes(tx, account_id)
    const type = readType(types, row.type)
    const { mapping: wanted, organization, ...given } = patch
    const said = readJsonChoices(given)
    checkChoices(types, type, { ...said, ...(organization !== undefined && { organization }) })
    const options = completeOptions(type, { ...row.options, ...said })
    if (organization !== undefined) {
      options.organization_id = await findWanted(tx, { account_id, types, type }, organization)
    }
    // What was said before may name fields that the type has no more.
    const { update, separators, on_missing } = options
    checkChoices(types, type, { update, separators, on_missing })
    const mapping = changeMapping(row, type, wanted)
    // Who maps the columns has seen the fields as they are now.
    const made = wanted === undefined ? null : { type_version: type.version, fields: factsOf(type) }
    await updateDraft(tx, account_id, id, { options, mapping, made })
  })
}

/** The mapping after a change: named columns as given; the others stay, unless their field is now
 *  fed by a named one, or gone. */
function changeMapping(
  { dialect, mapping }: ImportRow,
  type: RecordType,
  given: Record<string, string | null> | null | undefined
): (string | null)[] {
  const { headers } = dialect
  if (given === undefined) return mapping
  if (given === null) return suggestMapping(headers, type)
  const checked = parseMapping(headers, type, given)
  const claimed = new Set(Object.values(given))
  const known = new Set([idField, ...type.fields.map((field) => field.name)])
  return headers.map((header, index) => {
    if (Object.hasOwn(given, header)) return checked[index] ?? null
    const field = mapping[index] ?? null
    return field === null || claimed.has(field) || !known.has(field) ? null : field
  })
}

/** draft -> queued; `once` when the request holds an idempotency key. Throws import_not_found,
 *  import_state_conflict, record_type_changed, required_column_unmapped, upload_gone,
 *  another_import_running. */
export async function startImport(
  context: ImportContext,
  { account_id, id }: Change,
  once: Once | null
): Promise<void> {
  const { pool, config, enqueue } = context
  await withTransaction(pool, async (tx) => {
    const row = await lockDraft(tx, { account_id, id }, 'starting it')
    const type = readType(await loadTypes(tx, account_id), row.type)
    const options = completeOptions(type, row.options)
    await requireSameFields(tx, { account_id, id, mapping: row.mapping, options }, type)
    checkRequired(row.dialect.headers, row.mapping, type, options)
    if (!(await hasUpload(config.dataDir, row.file_key))) throw appError('upload_gone')
    await takePlace(tx, account_id, type)
    await queueDraft(tx, account_id, id)
    await enqueue(tx, { account_id, import_id: id, type: row.type })
    await once?.record(tx, { status: 202, location: `/imports/${id}` })
  })
}

async function lockDraft(tx: Tx, { account_id, id }: Change, action: string): Promise<ImportRow> {
  const row = await lockImport(tx, account_id, id)
  if (!row) throw appError('import_not_found', { id })
  if (row.state !== 'draft') throw conflict(id, row.state, action, ['draft'])
  return row
}

const cancelledByWorker = statesBefore('cancelling')
// No worker has these: cancelling them is done at once.
const cancelledAtOnce: ImportState[] = ['draft', 'queued', 'paused']

/** Cancels an import. Returns the state it is in now: `cancelled`, or `cancelling` while its worker
 *  ends the batch in flight. Cancelling once more is no error. Throws import_not_found,
 *  import_state_conflict (it has ended by itself). */
export async function requestCancel({ pool }: ImportContext, { account_id, id }: Change) {
  const from = { atOnce: cancelledAtOnce, asked: cancelledByWorker }
  const state = await withTransaction(pool, async (tx) => {
    const now = await cancelImport(tx, account_id, id, from)
    if (now === 'cancelled') await settleUndone(tx, account_id, id)
    return now
  })
  if (state !== null) return state
  const row = await requireImport(pool, account_id, id)
  if (row.state === 'cancelling' || row.state === 'cancelled') return row.state
  throw conflict(id, row.state, 'cancelling it', [...cancelledAtOnce, ...cancelledByWorker])
}

function conflict(id: number, state: ImportState, action: string, allowed: ImportState[]) {
  return appError('import_state_conflict', { id, state, action, allowed: allowed.join(' or ') })
}
