// Which rows may be about one record, as far as the rows themselves say.

import t from 'tap'
import { findCollision } from '../../../src/import/match/find-collision.ts'
import type { ResolvedRow } from '../../../src/import/resolve/resolve-row.ts'
import { field } from '../../../src/record-types/define-field.ts'
import { keysOf } from '../../../src/record-types/match-keys.ts'
import type { MatchRule, RecordData, RecordType } from '../../../src/record-types/types.ts'

const rule = (name: string, code: number, identity: boolean): MatchRule => {
  return { name, code, fields: [name], folding: 'exact', identity, scope: 'account' }
}
const type: RecordType = {
  name: 'devices',
  type_id: 900,
  version: 1,
  label: 'Devices',
  description: 'Things with two numbers and a name.',
  title_fields: ['name'],
  organization_field: null,
  match_policy: 'first_tier',
  blank: 'keep',
  limits: {},
  fields: ['serial', 'mac', 'name'].map((name) => field(name, name, 'text', name)),
  match_rules: [rule('serial', 1, true), rule('mac', 2, true), rule('name', 3, false)]
}

function cutOf(rows: RecordData[], doubtful = [true, true, true]): number {
  const keyed = rows.map((values) => {
    const keys = type.match_rules.map((one) => keysOf(one, values, null))
    return { row: { values } as ResolvedRow, keys }
  })
  return findCollision(type, keyed, doubtful)
}

t.test('rows without a common key go together', async (t) => {
  t.equal(cutOf([{ serial: 's1', name: 'a' }, { serial: 's2', name: 'b' }, { mac: 'm1' }]), 3)
})

t.test('a row that shares an identity waits', async (t) => {
  t.equal(cutOf([{ serial: 's1' }, { serial: 's2' }, { serial: 's1', mac: 'm2' }]), 2)
})

t.test('rows of one name go together when their identities differ', async (t) => {
  const rows: RecordData[] = [
    { serial: 's1', name: 'a' },
    { serial: 's2', name: 'a' }
  ]
  t.equal(cutOf(rows), 2)
  t.equal(cutOf([...rows, { name: 'a' }]), 2, 'and one without any waits')
})

t.test('a row has to differ from every earlier row of its name', async (t) => {
  const rows: RecordData[] = [
    { serial: 's1', mac: 'm1', name: 'a' },
    { serial: 's2', name: 'a' },
    { mac: 'm3', name: 'a' }
  ]
  t.equal(cutOf(rows), 2, 'the last one differs from the first, but not from the second')
})

t.test('rules of which all keys are new are not compared', async (t) => {
  t.equal(cutOf([{ name: 'a' }, { name: 'a' }], [true, true, false]), 2)
})
