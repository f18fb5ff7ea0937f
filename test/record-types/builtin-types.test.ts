// What must hold for every built-in record type: names, references, rules, samples and defaults fit
// together. A new type is tested by being in the registry.

import t, { type Test } from 'tap'
import { cellReader } from '../../src/import/resolve/cell-kinds.ts'
import { suggestMapping } from '../../src/import/resolve/map-columns.ts'
import { keysOf } from '../../src/record-types/match-keys.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import { sampleRow } from '../../src/record-types/template.ts'
import { type Field, isSensitive, type RecordType } from '../../src/record-types/types.ts'
import { rowProblems } from '../../src/row-problem-catalogue.ts'

const types = builtinTypes.list
const fieldOf = (type: RecordType, name: string) => type.fields.find((one) => one.name === name)
const ruleOf = (type: RecordType, name: string) => type.match_rules.find((one) => one.name === name)
const fold = (text: string) => text.toLowerCase().replace(/[\s_.\-/#:*()]+/g, '')

function repeated(values: unknown[]): unknown[] {
  return values.filter((value, i) => values.indexOf(value) !== i)
}

/** What a cell of the field becomes; undefined among the values when it cannot be read. */
function readAll(field: Field, cell: string) {
  const parts = field.many ? cell.split(field.many.separator) : [cell]
  const reader = cellReader(field, { default_country: null })
  return parts.map((part) => reader.read(part.trim()))
}

t.test('names and numbers of types are unique', async (t) => {
  t.strictSame(repeated(types.map((type) => type.name)), [])
  t.strictSame(repeated(types.map((type) => type.type_id)), [])
  for (const type of types) t.ok(type.type_id > 0 && type.type_id < 1000, type.name)
})

for (const type of types) {
  t.test(`${type.name}: headers are told apart`, async (t) => {
    const headers = type.fields.flatMap(({ name, label, aliases }) => [
      ...new Set([name, label, ...aliases].map(fold))
    ])
    t.strictSame(repeated(headers), [])
    for (const { name, label, aliases } of type.fields) {
      for (const header of [name, label, ...aliases]) {
        t.strictSame(suggestMapping([header], type), [name], header)
      }
    }
  })

  t.test(`${type.name}: fields are described and named alike`, async (t) => {
    for (const { name, label, description } of type.fields) {
      t.match(name, /^[a-z][a-z0-9_]*$/)
      t.match(label, /^[A-Z]/)
      t.match(description, /^[A-Z].*\.$/, name)
      t.ok(description.length <= 120, `${name} is described in short`)
    }
  })

  t.test(`${type.name}: what it names is there`, async (t) => {
    for (const name of type.title_fields) t.ok(fieldOf(type, name), name)
    const organization = type.organization_field && fieldOf(type, type.organization_field)
    if (type.organization_field) t.match(organization, { reference: { type: 'organizations' } })
    for (const { reference, fields } of type.shared_fields ?? []) {
      const other = builtinTypes.require(fieldOf(type, reference)?.reference?.type ?? '')
      for (const [ours, theirs] of Object.entries(fields)) {
        t.ok(fieldOf(type, ours)?.reference)
        t.equal(fieldOf(other, theirs)?.reference?.type, fieldOf(type, ours)?.reference?.type)
      }
    }
  })

  t.test(`${type.name}: references lead to a rule that finds by one text`, async (t) => {
    for (const field of type.fields) {
      t.equal(field.kind === 'reference', field.reference !== undefined, field.name)
      if (field.reference) checkReference(t, type, field)
    }
  })

  t.test(`${type.name}: match rules are sound`, async (t) => {
    t.strictSame(repeated(type.match_rules.map((one) => one.code)), [])
    t.strictSame(repeated(type.match_rules.map((one) => one.name)), [])
    for (const one of type.match_rules) {
      for (const name of one.fields) {
        const field = fieldOf(type, name)
        t.ok(field && !isSensitive(field), `${one.name} compares ${name}, which is no secret`)
      }
      for (const name of one.may_be_blank ?? []) t.ok(one.fields.indexOf(name) > 0, name)
      if (one.scope === 'organization') t.ok(type.organization_field, one.name)
      if (typeof one.scope === 'object') t.ok(fieldOf(type, one.scope.field)?.reference, one.name)
      if (one.suggests) t.notOk(one.identity, `${one.name} decides nothing`)
    }
    t.ok(
      type.match_rules.some((one) => one.identity && !one.suggests),
      'something finds it'
    )
  })

  t.test(`${type.name}: the sample row could be imported`, async (t) => {
    const cells = new Map(sampleRow(type).map(({ field, cell }) => [field, cell]))
    const data: Record<string, never> = {}
    for (const field of type.fields) {
      const cell = cells.get(field.name) ?? ''
      if (field.required) t.not(cell, '', field.name)
      if (cell === '') continue
      const values = readAll(field, cell)
      t.notOk(values.includes(undefined), `${field.name}: ${cell}`)
      if (field.max_length) t.ok(cell.length <= field.max_length, field.name)
      Object.assign(data, { [field.name]: field.many ? values : values[0] })
    }
    const keys = type.match_rules.flatMap((one) => keysOf(one, data, 1))
    t.ok(keys.length > 0 || type.fields.some((field) => field.generated), 'it has a key')
    const found = type.check?.({ after: data, given: new Set(Object.keys(data)), isNew: true })
    t.strictSame(found?.problems ?? [], [])
    for (const { code } of found?.problems ?? []) t.ok(code in rowProblems, code)
  })

  t.test(`${type.name}: defaults and settings fit the fields`, async (t) => {
    for (const field of type.fields) {
      const { name, kind, many, default: value, options } = field
      if (value !== undefined) t.strictSame(readAll(field, String(value)), [value], name)
      t.equal(kind === 'select', options !== undefined, `${name} has options if it is a select`)
      if (many) t.equal(many.separator.length, 1)
      if (field.generated || field.immutable) t.equal(many, null, name)
      if (field.expiration) t.equal(kind, 'date')
      if (field.strict) t.equal(kind, 'phone')
    }
  })
}

function checkReference(t: Test, type: RecordType, field: Field): void {
  const { reference } = field
  if (!reference) return
  const other = builtinTypes.require(reference.type)
  const names = [reference.rule, ...(reference.also ? [reference.also] : [])]
  const within = fieldOf(type, reference.within ?? '')?.reference
  if (reference.within) t.ok(within, `${field.name} is looked up inside a reference`)
  for (const name of names) {
    const rule = ruleOf(other, name)
    t.ok(rule, `${field.name}: ${other.name} have a rule ${name}`)
    if (!rule) continue
    const words = rule.fields.map((one) => fieldOf(other, one)?.kind)
    t.notOk(words.includes('reference'), `${name} compares texts`)
    const scopeField =
      rule.scope === 'organization'
        ? other.organization_field
        : rule.scope === 'account'
          ? null
          : rule.scope.field
    if (scopeField === null) continue
    const scope = fieldOf(other, scopeField)?.reference
    t.equal(within?.type, scope?.type, `${field.name}: ${name} is meant for that scope`)
  }
  const [key] = ruleOf(other, reference.also ?? reference.rule)?.fields ?? []
  const creates = reference.on_missing === 'create' || field.default !== undefined
  if (!creates) return
  // A record made because a row names it has its name and scope, and else what is made up.
  for (const one of other.fields) {
    const isKnown = one.name === key || one.default !== undefined || one.generated
    if (one.required && !isKnown) t.equal(one.reference?.type, within?.type, one.name)
  }
}

t.test('names that are almost the same are told, except where it costs speed', async (t) => {
  const without = types
    .filter((type) => !type.match_rules.some((one) => one.suggests))
    .map((type) => type.name)
  t.strictSame(without.sort(), [
    'clients',
    'configurations',
    'contacts',
    'customers',
    'managers',
    'members',
    'passwords',
    'ssl_certificates',
    'users'
  ])
})

t.test('secrets are the fields that must be', async (t) => {
  const secrets = types.flatMap((type) =>
    type.fields.filter(isSensitive).map((field) => `${type.name}.${field.name}`)
  )
  t.strictSame(secrets, [
    'passwords.password',
    'passwords.otp_secret',
    'passwords.notes',
    'ssl_certificates.private_key'
  ])
})

t.test('headers that other systems write are known', async (t) => {
  const expected: [string, string[], (string | null)[]][] = [
    [
      'clients',
      ['ID', 'First Name', 'lastName', 'email', 'Project', 'Desk', 'Active', 'Type', 'Created'],
      [
        'client_id',
        'first_name',
        'last_name',
        'email',
        'project',
        'desk',
        'active',
        'type',
        'created'
      ]
    ],
    [
      'users',
      ['name', 'email', 'restriction', 'phone', 'shared_phone_number', 'organization', 'brand'],
      [
        'name',
        'emails',
        'ticket_restriction',
        'phones',
        'shared_phone_number',
        'organizations',
        'brand'
      ]
    ],
    ['users', ['default_group_id', 'tags', 'role'], ['default_group', 'tags', 'role']],
    ['passwords', ['otp_secret_key', 'resource_id'], ['otp_secret', 'resource']],
    ['organizations', ['default', 'shared', 'group'], ['domains', 'shared_tickets', 'group']]
  ]
  for (const [name, headers, fields] of expected) {
    t.strictSame(suggestMapping(headers, builtinTypes.require(name)), fields, name)
  }
})
