// Defining, changing and deleting the record types of an account. Called by routes.ts. Each is one
// transaction in which nobody else changes a type of the account.

import { isDeepStrictEqual } from 'node:util'
import { appError } from '../errors.ts'
import { type Pool, type Tx, withTransaction } from '../platform/db.ts'
import type { Fault } from '../platform/http-schemas.ts'
import type { Once } from '../platform/idempotency.ts'
import { breaksRecords, breaksReferences, narrowedFields } from './check-change.ts'
import {
  compileTypes,
  extendType,
  firstOwnTypeId,
  type StoredType,
  type TypeExtension
} from './compile-types.ts'
import { defineType } from './define-type.ts'
import type { TypeDefinition, TypeReplacement } from './definition.ts'
import { defineExtension } from './extend-type.ts'
import type { ReadCell } from './read-values.ts'
import { builtinTypes, shownNames, type TypeCatalogue } from './registry.ts'
import {
  countRecords,
  deleteType,
  hasRecords,
  hasValuesOutside,
  holdImports,
  holdWriters,
  lastRuleCode,
  listPastShapes,
  listStoredTypes,
  lockDefinitions,
  nextTypeId,
  saveType
} from './store.ts'
import type { RecordType } from './types.ts'

/** Types that an account may define; built-in ones not counted. */
export const maxOwnTypes = 500
const lastTypeId = 32_767

/** Who changes what, and how cells are read (for defaults). */
export interface TypeChange {
  pool: Pool
  readCell: ReadCell
  account_id: number
  key_id: number
}

/** Path of a record type. */
export const typePath = ({ name }: RecordType) => `/record-types/${name}`

/** Adds a type; `once` when the request holds an idempotency key. Throws type_invalid, type_conflict (name taken, too many). */
export async function createType(
  change: TypeChange,
  given: TypeDefinition,
  once: Once | null = null
): Promise<RecordType> {
  const { pool, readCell, account_id, key_id } = change
  return withTransaction(pool, async (tx) => {
    const { types, stored } = await openTypes(tx, account_id)
    const type_id = await nextTypeId(tx, account_id)
    const context = { types, readCell, type_id, version: 1, rules: [], lastCode: 0 }
    const type = defineType(given, context)
    if (types.get(type.name)) {
      throw conflict(`There is already a record type "${type.name}". Choose another name.`)
    }
    const own = stored.filter((one) => one.type_id >= firstOwnTypeId)
    if (own.length >= maxOwnTypes || type_id > lastTypeId) {
      throw conflict(`An account may define ${maxOwnTypes} types. Delete one that is not used.`)
    }
    await saveType(tx, account_id, storable(type), key_id)
    await once?.record(tx, { status: 201, location: typePath(type) })
    return type
  })
}

/** Replaces the definition of an own type, or what is added to a built-in one. The same definition
 *  again changes nothing. Throws record_type_not_found, validation_failed (parts that the type does
 *  not take), type_invalid, type_conflict (records, imports or other types are in the way). */
export async function changeType(
  change: TypeChange,
  name: string,
  given: TypeReplacement
): Promise<RecordType> {
  return withTransaction(change.pool, async (tx) => {
    const { types, stored } = await openTypes(tx, change.account_id)
    const type = requireType(types, name)
    const row = stored.find((one) => one.type_id === type.type_id)
    if (row && type.type_id >= firstOwnTypeId) {
      return replaceOwn(tx, change, { types, type, given: ownDefinition(given, type) })
    }
    refuseParts(given, ['fields', 'overrides', 'limits', 'name'], type)
    return replaceExtension(tx, change, { types, type, row, given })
  })
}

/** Deletes an own type. Throws record_type_not_found, type_conflict (built-in, has records or
 *  imports that are not finished, or others refer to it). */
export async function removeType(change: TypeChange, name: string): Promise<void> {
  const { pool, account_id } = change
  await withTransaction(pool, async (tx) => {
    const { types } = await openTypes(tx, account_id)
    const { type_id } = requireType(types, name)
    if (type_id < firstOwnTypeId) {
      const text = `${name} is built in. To take away what was added, PUT a definition without fields.`
      throw conflict(text)
    }
    const broken = breaksReferences(name, null, types)
    if (broken.length > 0) throw conflict(`${name} is needed: ${broken.join('; ')}.`, broken)
    await holdWriters(tx, account_id, type_id)
    const count = await countRecords(tx, account_id, type_id)
    if (count > 0) throw conflict(`${name} have ${count} record(s). Delete them first.`)
    await refuseImports(tx, change, name, [
      'draft',
      'queued',
      'running',
      'pausing',
      'paused',
      'cancelling'
    ])
    await deleteType(tx, account_id, type_id)
  })
}

/** The type of that name. Throws record_type_not_found. */
export function requireType(types: TypeCatalogue, name: string): RecordType {
  const type = types.get(name)
  if (type) return type
  throw appError('record_type_not_found', { type: name, known: shownNames(types) })
}

async function openTypes(tx: Tx, account_id: number) {
  await lockDefinitions(tx, account_id)
  const stored = await listStoredTypes(tx, account_id)
  return { stored, types: compileTypes(stored) }
}

async function replaceOwn(
  tx: Tx,
  change: TypeChange,
  { types, type, given }: { types: TypeCatalogue; type: RecordType; given: TypeDefinition }
): Promise<RecordType> {
  const { readCell, account_id, key_id } = change
  const { type_id } = type
  const lastCode = await lastRuleCode(tx, account_id, type_id)
  const version = type.version + 1
  const context = { types, readCell, type_id, version, rules: type.match_rules, lastCode }
  const after = defineType(given, context)
  if (sameJson(storable(after).definition, storable(type).definition)) return type
  const broken = breaksReferences(type.name, after, types)
  if (broken.length > 0) {
    throw conflict(`Other types need what would go: ${broken.join('; ')}.`, broken)
  }
  await refuseBreaking(tx, change, type, after)
  await saveType(tx, account_id, storable(after), key_id)
  return after
}

async function replaceExtension(
  tx: Tx,
  change: TypeChange,
  {
    types,
    type,
    row,
    given
  }: {
    types: TypeCatalogue
    type: RecordType
    row: StoredType | undefined
    given: TypeReplacement
  }
): Promise<RecordType> {
  const { readCell, account_id, key_id } = change
  const builtin = builtinTypes.require(type.name)
  const extension = defineExtension(given, { type: builtin, types, readCell })
  const before = row?.definition ?? ({ fields: [], overrides: {}, limits: {} } as TypeExtension)
  if (sameJson(extension, before)) return type
  const version = (row?.version ?? 0) + 1
  const after = extendType(builtin, extension, version)
  await refuseBreaking(tx, change, type, after)
  const { name, type_id } = type
  await saveType(tx, account_id, { type_id, name, version, definition: extension }, key_id)
  return after
}

/** Refuses what would tear values or keys that are there, or that an import is just writing. */
async function refuseBreaking(tx: Tx, change: TypeChange, before: RecordType, after: RecordType) {
  const { account_id } = change
  const { type_id, name } = before
  const past = await listPastShapes(tx, account_id, type_id)
  const broken = breaksRecords(before, after, past)
  const narrowed = narrowedFields(before, after)
  if (broken.length + narrowed.length === 0) return
  await holdWriters(tx, account_id, type_id)
  for (const one of narrowed) {
    if (!(await hasValuesOutside(tx, account_id, type_id, one))) continue
    const what = one.options === null ? 'longer values' : 'options that would go'
    broken.push(`some have ${what} in the field ${one.field}; change these records first`)
  }
  if (broken.length > 0 && (await hasRecords(tx, account_id, type_id))) {
    throw conflict(`There are records of ${name}: ${broken.join('; ')}.`, broken)
  }
  await refuseImports(tx, change, name, ['running', 'pausing', 'cancelling'])
}

async function refuseImports(tx: Tx, { account_id }: TypeChange, name: string, states: string[]) {
  // Those that wait are held as well: none may begin with the old definition meanwhile.
  const held = await holdImports(tx, account_id, name, [...new Set(['queued', ...states])])
  const busy = held.filter((one) => states.includes(one.state)).map((one) => one.id)
  if (busy.length === 0) return
  const ids = busy.slice(0, 20).join(', ')
  throw conflict(`There are imports of ${name} that have not ended (${ids}). Wait, or cancel them.`)
}

/** The whole definition of an own type. Throws validation_failed. */
function ownDefinition(given: TypeReplacement, type: RecordType): TypeDefinition {
  refuseParts(
    given,
    Object.keys(given).filter((part) => part !== 'overrides'),
    type
  )
  const { overrides: _, label, fields, ...rest } = given
  if (label !== undefined && fields) return { ...rest, name: type.name, label, fields }
  throw invalid([
    ...(label === undefined ? [{ path: 'body/label', message: 'is missing' }] : []),
    ...(fields ? [] : [{ path: 'body/fields', message: 'is missing' }])
  ])
}

function refuseParts(given: TypeReplacement, taken: string[], type: RecordType): void {
  const where = type.type_id < firstOwnTypeId ? 'built-in types' : 'types of your own'
  const faults = Object.keys(given)
    .filter((part) => !taken.includes(part))
    .map((part) => ({ path: `body/${part}`, message: `is not known for ${where}` }))
  if (given.name !== undefined && given.name !== type.name) {
    faults.push({ path: 'body/name', message: `must be ${type.name}: a type is not renamed` })
  }
  if (faults.length > 0) throw invalid(faults)
}

function invalid(faults: Fault[]) {
  const reason = `${faults.map(({ path, message }) => `${path} ${message}`).join('; ')}.`
  return appError('validation_failed', { reason }, { details: faults })
}

const conflict = (reason: string, faults?: string[]) =>
  appError('type_conflict', { reason }, faults && { details: { faults } })

/** As it is kept: the number and the version have columns of their own. */
function storable({ type_id, version, ...definition }: RecordType): StoredType {
  return { type_id, version, name: definition.name, definition: definition as RecordType }
}

const sameJson = (a: unknown, b: unknown) =>
  isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
