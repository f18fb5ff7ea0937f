// Whether the choices for an import fit its record type: the fields they name are there and can do
// what is asked of them. Pure. Called by accepting, changing a draft and saving a profile.

import { whyNotByName } from '../../record-types/create-by-name.ts'
import type { TypeCatalogue } from '../../record-types/registry.ts'
import { splitsValues } from '../../record-types/template.ts'
import type { Field, RecordType } from '../../record-types/types.ts'
import { type Choices, invalidOption } from './options.ts'

interface Fault {
  option: keyof Choices
  message: string
}

/** Throws invalid_option when choices name fields that are not there or cannot do it; the text and
 *  `details.faults` have every fault. */
export function checkChoices(types: TypeCatalogue, type: RecordType, choices: Choices): void {
  const faults = [...findFaults(type, choices), ...findUnmakable(types, type, choices)]
  const [first] = faults
  if (!first) return
  const text = faults
    .map(({ option, message }) => (option === first.option ? message : `${option}: ${message}`))
    .join(' ')
  throw invalidOption(first.option, textOf(choices[first.option]), text, { faults })
}

function findFaults(type: RecordType, choices: Choices): Fault[] {
  const { update, separators, on_missing, organization } = choices
  const faults: Fault[] = [
    ...faultsOf(type, 'update', update, canAppend, 'has one value; only lists and long texts do'),
    ...faultsOf(type, 'separators', separators, isList, 'has one value, and no separator'),
    ...faultsOf(type, 'on_missing', on_missing, isReference, 'refers to no other record')
  ]
  for (const [field, separator] of Object.entries(separators ?? {})) {
    if (isSeparator(separator)) continue
    const message = `The separator of "${field}" must be 1 to 3 characters, no letter, digit or quote.`
    faults.push({ option: 'separators', message })
  }
  for (const { name, kind } of type.fields) {
    const separator = separators?.[name]
    if (separator === undefined || !splitsValues(kind, separator)) continue
    const message = `"${separator}" is part of every value of "${name}" (${kind}); choose another.`
    faults.push({ option: 'separators', message })
  }
  if (organization !== undefined && organization !== null && type.organization_field === null) {
    const message = `Leave it out: ${type.name} belong to no organization.`
    faults.push({ option: 'organization', message })
  }
  if (choices.require_external_id === true && !hasExternalId(type)) {
    const message = `Leave it out: ${type.name} are not found by an external id.`
    faults.push({ option: 'require_external_id', message })
  }
  return faults
}

/** References whose records cannot be made because a row names them. */
function findUnmakable(types: TypeCatalogue, type: RecordType, { on_missing }: Choices): Fault[] {
  return Object.entries(on_missing ?? {}).flatMap(([name, policy]) => {
    const reference = type.fields.find((field) => field.name === name)?.reference
    if (policy !== 'create' || !reference) return []
    const target = types.require(reference.type)
    const naming = reference.also ?? reference.rule
    const rule = target.match_rules.find((one) => one.name === naming)
    const why = rule ? whyNotByName(target, rule) : null
    return why === null ? [] : [{ option: 'on_missing' as const, message: `"${name}": ${why}.` }]
  })
}

/** The faults of an option that is an object by field. */
function faultsOf(
  type: RecordType,
  option: keyof Choices,
  given: Record<string, string> | undefined,
  isFit: (field: Field) => boolean,
  why: string
): Fault[] {
  return Object.keys(given ?? {}).flatMap((name) => {
    const field = type.fields.find((one) => one.name === name)
    if (!field) return [{ option, message: `${type.name} have no field "${name}".` }]
    return isFit(field) ? [] : [{ option, message: `"${name}" ${why}.` }]
  })
}

const isList = (field: Field) => field.many !== null
const canAppend = (field: Field) => isList(field) || field.kind === 'textbox'
const isReference = (field: Field) => field.kind === 'reference'

// Letters, digits and quotes are parts of values.
const isSeparator = (text: string) => /^[^\p{L}\p{N}"']{1,3}$/u.test(text) && text.isWellFormed()

const hasExternalId = (type: RecordType) =>
  type.match_rules.some((rule) => rule.name === 'external_id')

const textOf = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : `${value}`)
