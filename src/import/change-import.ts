// Changing imports: the choices of a draft, starting it. Called by routes.ts. What happens to an
// import after that is in lifecycle/. Each change is one transaction that holds the import's row.

import type { Static } from 'typebox'
import { appError } from '../errors.ts'
import { type Tx, withTransaction } from '../platform/db.ts'
import { hasUpload } from '../platform/files.ts'
import type { Once } from '../platform/idempotency.ts'
import { loadTypes } from '../record-types/store.ts'
import type { RecordType } from '../record-types/types.ts'
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
import { isTarget, parseMapping, suggestMapping } from './resolve/map-columns.ts'
import type { ImportState } from './status.ts'
import { lockImport, queueDraft, updateDraft } from './store.ts'

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
  return headers.map((header, index) => {
    if (Object.hasOwn(given, header)) return checked[index] ?? null
    const field = mapping[index] ?? null
    return field === null || claimed.has(field) || !isTarget(type, field) ? null : field
  })
}

/** draft -> queued; `once` when the request holds an idempotency key. Throws import_not_found,
 *  import_state_conflict, record_type_changed, required_column_unmapped, upload_gone,
 *  another_import_running, too_many_imports. */
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
    await takePlace(tx, config, account_id, type)
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

/** The error of a change that the import's state does not allow. */
export function conflict(id: number, state: ImportState, action: string, allowed: ImportState[]) {
  return appError('import_state_conflict', { id, state, action, allowed: allowed.join(' or ') })
}
