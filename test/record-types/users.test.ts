// Roles, restrictions and groups of helpdesk users: the matrix, and what follows from a role.

import t from 'tap'
import { checkUser, restrictions } from '../../src/record-types/builtin/check-user.ts'
import type { RecordData } from '../../src/record-types/types.ts'

/** A row that gives `given`, for a record that has `before` (null: a new one). */
function check(given: RecordData, before: RecordData | null = null) {
  const base = before ?? { name: 'Ann', emails: ['ann@a.example'], role: 'End-user' }
  const after = { ...base, ...given }
  const found = checkUser({ after, given: new Set(Object.keys(given)), isNew: before === null })
  return { codes: found.problems.map(({ code }) => code), set: found.set }
}

const conflict = ['role_restriction_conflict']
const ignored = ['restriction_ignored']
const unusual = ['unusual_restriction']
const fine: string[] = []

// In the order of `restrictions`: assigned, groups, none, organization, requested.
const matrix: Record<string, string[][]> = {
  'End-user': [conflict, conflict, conflict, fine, fine],
  Agent: [fine, fine, fine, fine, unusual],
  Admin: [ignored, ignored, fine, ignored, ignored]
}

for (const [role, row] of Object.entries(matrix)) {
  t.test(`${role}: which restrictions it takes`, async (t) => {
    for (const [i, ticket_restriction] of restrictions.entries()) {
      t.strictSame(check({ role, ticket_restriction }).codes, row[i], ticket_restriction)
    }
  })
}

t.test('a blank restriction gets what the role has, but agents need one', async (t) => {
  t.strictSame(check({}), { codes: [], set: { ticket_restriction: 'requested' } })
  t.strictSame(check({ role: 'Admin' }), { codes: [], set: { ticket_restriction: 'none' } })
  t.strictSame(check({ role: 'Agent' }), { codes: ['restriction_missing'], set: {} })
})

t.test('a restriction that an admin cannot have becomes none', async (t) => {
  t.strictSame(check({ role: 'Admin', ticket_restriction: 'groups' }).set, {
    ticket_restriction: 'none'
  })
})

const agent = { name: 'Ann', external_id: 'a', role: 'Agent', ticket_restriction: 'groups' }

t.test('a row that says nothing of the role leaves an agent alone', async (t) => {
  t.strictSame(check({ name: 'Anne' }, agent), { codes: [], set: {} })
  const usual = { ...agent, ticket_restriction: 'requested' }
  t.strictSame(check({ name: 'Anne' }, usual), { codes: [], set: {} })
})

t.test('who becomes an end user loses restriction, group and custom role', async (t) => {
  const before = { ...agent, default_group: 7, custom_role: 8 }
  t.strictSame(check({ role: 'End-user' }, before), {
    codes: [],
    set: { custom_role: null, default_group: null, ticket_restriction: 'requested' }
  })
})

t.test('a role that was cleared is End-user', async (t) => {
  t.match(check({}, { name: 'Ann', external_id: 'a' }).set, { role: 'End-user' })
})

t.test('end users cannot be given a group; one by default is dropped', async (t) => {
  t.strictSame(check({ default_group: 7 }).codes, ['group_for_end_user'])
  const after = { name: 'Ann', emails: ['ann@a.example'], default_group: 7 }
  const { problems, set } = checkUser({ after, given: new Set(['name', 'emails']), isNew: true })
  t.strictSame(problems, [])
  t.match(set, { default_group: null })
  t.strictSame(check({ role: 'Agent', ticket_restriction: 'groups', default_group: 7 }).codes, [])
})

t.test('a custom role makes an agent and takes no restriction', async (t) => {
  t.strictSame(check({ custom_role: 8 }), { codes: [], set: { role: 'Agent' } })
  t.strictSame(check({ custom_role: 8, role: 'Agent' }), { codes: [], set: {} })
  t.strictSame(check({ custom_role: 8, ticket_restriction: 'groups' }).codes, conflict)
  t.strictSame(check({ custom_role: 8 }, agent), { codes: [], set: { ticket_restriction: null } })
  t.strictSame(check({ custom_role: 8, role: 'End-user' }).codes, ['custom_role_for_end_user'])
})

t.test('a new user needs an e-mail address or an external id', async (t) => {
  t.strictSame(check({ emails: [] }).codes, ['identity_missing'])
  t.strictSame(check({ emails: [], external_id: 'a' }).codes, [])
  t.strictSame(check({ name: 'Anne' }, { name: 'Ann', role: 'End-user' }).codes, [])
})
