// Definitions: what follows from them, and what is refused, without a database.

import t from 'tap'
import { AppError } from '../../src/errors.ts'
import { cellReader } from '../../src/import/resolve/cell-kinds.ts'
import { type DefinitionContext, defineType } from '../../src/record-types/define-type.ts'
import type { FieldDefinition, TypeDefinition } from '../../src/record-types/definition.ts'
import { builtinTypes, catalogueOf } from '../../src/record-types/registry.ts'
import type { Field } from '../../src/record-types/types.ts'

const context: DefinitionContext = {
  types: builtinTypes,
  readCell: (field: Field, text: string) => cellReader(field, { default_country: null }).read(text),
  type_id: 1000,
  version: 1,
  rules: [],
  lastCode: 0
}
const name: FieldDefinition = { name: 'name', label: 'Name', kind: 'text', required: true }

function define(more: Partial<TypeDefinition>, fields: Partial<FieldDefinition>[] = []) {
  const added = fields.map((one, i) => ({ name: `f${i}`, label: `F ${i}`, kind: 'text', ...one }))
  const given = { name: 'things', label: 'Things', fields: [name, ...added], ...more }
  return defineType(given as TypeDefinition, context)
}

/** The faults as `path message`. */
function faultsOf(more: Partial<TypeDefinition>, fields: Partial<FieldDefinition>[] = []) {
  try {
    define(more, fields)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'type_invalid') throw error
    const { faults } = error.details as { faults: { path: string; message: string }[] }
    return faults.map(({ path, message }) => `${path.replace('body/', '')} ${message}`)
  }
  return []
}

const reference = (more: object) => ({ kind: 'reference', reference: more as never })

const refused: [string, Partial<FieldDefinition>, RegExp][] = [
  ['unknown kind', { kind: 'header' }, /kind "header" is no kind/],
  ['bad name', { name: 'Serial No' }, /name "Serial No" is not snake_case/],
  ['dots', { name: 'a.b' }, /not snake_case/],
  ['nature', { name: 'constructor' }, /reserved/],
  ['long name', { name: 'a'.repeat(61) }, /name must have 1 to 60/],
  ['same name', { name: 'name' }, /name "name" is taken/],
  ['our id', { name: 'id' }, /name "id" is taken/],
  ['our label', { label: 'MUSTER-ID' }, /label "MUSTER-ID" already means/],
  ['same label', { label: 'N_A_M_E' }, /label .* already means the field name/],
  ['same alias', { aliases: ['Name:'] }, /aliases\/0 .* already means the field name/],
  ['added field', { label: 'External ID' }, /already means the field external_id/],
  ['organization', { name: 'organization', label: 'Place' }, /say organization: none/],
  ['formula', { label: '=Total' }, /must not begin like a formula/],
  ['ours', { label: 'muster_problem' }, /must not begin with muster_/],
  ['no letters', { label: '#' }, /must have a letter or digit/],
  ['only signs', { label: '%' }, /must have a letter or digit/],
  ['invisible', { label: 'A\u202eB' }, /characters that nobody sees/],
  ['marker option', { kind: 'select', options: ['__CLEAR__'] }, /is what clears a cell/],
  [
    'option twice, spelled differently',
    { kind: 'select', options: ['\u00e9', 'e\u0301'] },
    /options\/1 .* is there twice/
  ],
  [
    'separator inside of values',
    { kind: 'date', many: { separator: '-' } },
    /many\/separator "-" is part of every date/
  ],
  ['no options', { kind: 'select' }, /options a select needs/],
  ['options twice', { kind: 'select', options: ['a', 'a'] }, /options\/1 "a" is there twice/],
  ['blank option', { kind: 'select', options: [' '] }, /options\/0 must be a single line/],
  ['split option', { kind: 'select', many: true, options: ['a|b'] }, /has the separator/],
  ['options of a text', { options: ['a'] }, /only a select has options/],
  ['default', { kind: 'integer', default: 'many' }, /"many" cannot be read as integer/],
  ['default type', { kind: 'date', default: 20260131 }, /default must be a text/],
  ['default date', { kind: 'date', default: '2026-02-30' }, /cannot be read as date/],
  ['default option', { kind: 'select', options: ['a'], default: 'A' }, /"A" is not an option/],
  ['default of many', { kind: 'host', many: true, default: ['a.b', '-'] }, /default\/1/],
  ['default too long', { max_length: 2, default: 'abc' }, /longer than 2/],
  ['secret default', { kind: 'password', default: 'x' }, /a secret has no default/],
  ['secret title', { kind: 'password', use_for_title: true }, /cannot be in the title/],
  ['json title', { kind: 'json', use_for_title: true }, /json cannot be in the title/],
  ['many titles', { many: true, use_for_title: true }, /several values cannot be in the title/],
  ['unique json', { kind: 'json', unique: true }, /json cannot be unique/],
  ['unique textbox', { kind: 'textbox', unique: true }, /textbox cannot be unique/],
  ['unique checkbox', { kind: 'checkbox', unique: true }, /checkbox cannot be unique/],
  ['unique secret', { kind: 'password', unique: true }, /password cannot be unique/],
  ['many checkboxes', { kind: 'checkbox', many: true }, /holds one value/],
  ['separator', { many: { separator: 'x' } }, /must not have letters/],
  ['long separator', { many: { separator: ';;;;;;' } }, /1 to 5 characters/],
  ['length', { max_length: 0 }, /max_length must be 1 to/],
  ['length of a date', { kind: 'date', max_length: 9 }, /a date has no length/],
  ['short dates', { short_dates: true }, /is for dates only/],
  ['strict', { strict: true }, /is for phones only/],
  ['expiration', { expiration: true }, /is for a single date only/],
  ['append', { kind: 'date', on_update: 'append' }, /can be appended to/],
  ['no reference', { kind: 'tag' }, /reference is needed/],
  ['text reference', { reference: { type: 'contacts' } }, /text refers to nothing/],
  ['unknown type', reference({ type: 'nothing' }), /there is no record type "nothing"/],
  ['unknown rule', reference({ type: 'contacts', rule: 'shoe' }), /no match rule "shoe"/],
  ['also', reference({ type: 'contacts', also: 'full_name' }), /no other match rule/],
  ['within', reference({ type: 'organizations', within: 'organization' }), /in the whole account/],
  ['within what', reference({ type: 'contacts', within: 'name' }), /"name" is no such field/],
  [
    'create',
    reference({ type: 'contacts', rule: 'email', on_missing: 'create' }),
    /need first_name/
  ]
]

t.test('a field that makes no sense is refused', async (t) => {
  for (const [title, field, wanted] of refused) {
    const faults = faultsOf({}, [field])
    t.equal(faults.length, 1, `${title}: ${faults.join('; ')}`)
    t.match(faults[0], wanted, title)
  }
})

const rule = { name: 'r', fields: ['name'] }
const refusedTypes: [string, Partial<TypeDefinition>, RegExp][] = [
  ['name', { name: 'T' }, /^name "T" is not/],
  ['short name', { name: 't' }, /^name must have 2 to 60/],
  ['no title', { fields: [] }, /use_for_title/],
  ['rule twice', { match_rules: [rule, rule] }, /match_rules\/1\/name "r" is there twice/],
  ['rule name', { match_rules: [{ ...rule, name: 'R' }] }, /not snake_case/],
  ['rule field', { match_rules: [{ ...rule, fields: ['x'] }] }, /there is no field "x"/],
  ['same field', { match_rules: [{ ...rule, fields: ['name', 'name'] }] }, /is there twice/],
  ['blank', { match_rules: [{ ...rule, may_be_blank: ['name'] }] }, /after the first/],
  ['scope', { match_rules: [{ ...rule, scope: 'name' }] }, /a reference field with one value/],
  [
    'no place',
    { organization: 'none', match_rules: [{ ...rule, scope: 'organization' }] },
    /no org/
  ],
  [
    'external',
    { match_rules: [{ ...rule, name: 'external_id' }] },
    /identity of the field external/
  ],
  ['fields', { fields: [name, ...manyFields(500)] }, /the limit is 500/]
]

function manyFields(count: number): FieldDefinition[] {
  return Array.from({ length: count }, (_, i) => ({ name: `m${i}`, label: `M${i}`, kind: 'text' }))
}

t.test('a type that makes no sense is refused', async (t) => {
  for (const [title, more, wanted] of refusedTypes) {
    const faults = faultsOf(more)
    t.equal(faults.length, 1, `${title}: ${faults.join('; ')}`)
    t.match(faults[0], wanted, title)
  }
  const secret = { name: 'pin', label: 'PIN', kind: 'password' }
  const rules = [{ ...rule, fields: ['pin'] }]
  t.match(faultsOf({ fields: [name, secret], match_rules: rules }), [/pin is a secret/])
})

t.test('a name of our own field is free where there is no organization', async (t) => {
  const own = {
    ...reference({ type: 'organizations' }),
    name: 'organization',
    label: 'Organization'
  }
  const type = define({ organization: 'none' }, [own])
  t.equal(type.organization_field, null)
  t.equal(type.fields.length, 3)
  const faults = faultsOf({ organization: 'none' }, [{ ...reference({ type: 'contacts' }) }])
  t.match(faults, [/within contacts are found by full_name inside one of organizations/])
})

t.test('headers of added fields give way to those that are defined', async (t) => {
  const type = define({}, [{ label: 'Account' }])
  const aliases = type.fields.find((field) => field.name === 'organization')?.aliases
  t.same(aliases, ['Organization Name', 'Company', 'Company Name'])
})

t.test('an external_id of its own takes the place of the added one', async (t) => {
  const type = define({}, [{ name: 'external_id', label: 'Key', required: true }])
  t.same(
    type.fields.map((field) => field.name),
    ['organization', 'name', 'external_id']
  )
  t.match(faultsOf({}, [{ name: 'external_id', label: 'Key', kind: 'date' }]), [/must be a text/])
})

t.test('the title fields find a record together, those that are always filled first', async (t) => {
  const type = define({}, [{ use_for_title: true }, { use_for_title: true, required: true }])
  t.same(type.title_fields, ['f0', 'f1'])
  t.same(type.match_rules.at(-1), {
    name: 'title',
    code: 2,
    fields: ['f1', 'f0'],
    may_be_blank: ['f0'],
    folding: 'exact',
    identity: false,
    scope: 'organization'
  })
})

t.test('given rules come after those that are always there, unless they are listed', async (t) => {
  const names = (more: Partial<TypeDefinition>) =>
    define(more, [{ unique: true }]).match_rules.map((one) => one.name)
  t.same(names({ match_rules: [rule] }), ['external_id', 'f0', 'r'])
  const listed = { name: 'f0', fields: ['f0'], identity: true, scope: 'account' }
  t.same(names({ match_rules: [rule, listed] }), ['external_id', 'r', 'f0'])
  t.same(names({ match_rules: [] }), ['external_id', 'f0'])
})

t.test('a type may refer to itself, and to models inside a manufacturer', async (t) => {
  const type = define({}, [reference({ type: 'things', on_missing: 'create' })])
  t.match(type.fields.at(-1)?.reference, { rule: 'title', within: 'organization' })
  if (!builtinTypes.get('models')) return
  const maker = { ...reference({ type: 'manufacturers' }), name: 'maker', label: 'Maker' }
  const model = reference({ type: 'models', within: 'maker', on_missing: 'create' })
  t.match(define({}, [maker, model]).fields.at(-1)?.reference, { rule: 'name', within: 'maker' })
  t.match(faultsOf({}, [maker, reference({ type: 'models' })]), [/name a reference field/])
})

t.test('a definition is read against the types of the account', async (t) => {
  const other = { ...define({}), name: 'others', type_id: 1001 }
  const given = {
    name: 'things',
    label: 'Things',
    fields: [name, { name: 'o', label: 'O', kind: 'tag', reference: { type: 'others' } }]
  }
  const types = catalogueOf([...builtinTypes.list, other])
  const type = defineType(given, { ...context, types })
  t.match(type.fields.at(-1), { many: { separator: '|' }, reference: { type: 'others' } })
})

t.test('values of a definition are kept as an import would keep them', async (t) => {
  const { fields } = define({}, [
    { kind: 'select', options: ['e\u0301'] },
    { many: true, default: ['a', 'b', 'a'] }
  ])
  t.same(fields.find((one) => one.name === 'f0')?.options, ['\u00e9'])
  t.same(fields.find((one) => one.name === 'f1')?.default, ['a', 'b'])
})

t.test('a match rule cannot have the name of our own id', async (t) => {
  t.match(faultsOf({ match_rules: [{ name: 'id', fields: ['name'] }] }).join(), /our own id/)
})
