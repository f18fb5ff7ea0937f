// Which role of a helpdesk takes which ticket restriction, group and custom role. Pure.
// In: a user as a row would leave it. Out: problems, and the values that follow from the role.
// Called by import/decide through the record type. Source: domain rules S4.30-S4.53 and the matrix
// of section 4. What a row says itself is judged; what was there before is brought into line.

import type { RecordData, RowFinding, RowState } from '../types.ts'

export const roles = ['End-user', 'Agent', 'Admin'] as const

export const restrictions = ['assigned', 'groups', 'none', 'organization', 'requested'] as const

const defaultRole = 'End-user'
const ofEndUsers: readonly string[] = ['organization', 'requested']

interface User extends RowState {
  role: string
  restriction: string | null
  problems: RowFinding['problems']
  set: RecordData
}

/** Finds role_restriction_conflict, restriction_missing, restriction_ignored, unusual_restriction,
 *  group_for_end_user, custom_role_for_end_user, identity_missing; sets role, restriction, group. */
export function checkUser(state: RowState): RowFinding {
  const user: User = {
    ...state,
    role: textOf(state.after.role) ?? defaultRole,
    restriction: textOf(state.after.ticket_restriction),
    problems: [],
    set: {}
  }
  if (state.isNew) checkIdentity(user)
  const hasCustomRole = checkCustomRole(user)
  checkGroup(user)
  if (hasCustomRole) checkBesideCustomRole(user)
  else if (user.role === 'Admin') checkAdmin(user)
  else if (user.role === 'Agent') checkAgent(user)
  else checkEndUser(user)
  put(user, 'role', user.role)
  return { problems: user.problems, set: user.set }
}

const textOf = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)

const isFilled = ({ after }: User, field: string) =>
  after[field] !== undefined && after[field] !== null

/** Notes a value that follows from the others, where it is not there already. */
function put(user: User, field: string, value: string | null): void {
  if ((user.after[field] ?? null) !== value) user.set[field] = value
}

/** Somebody without an address and without an external id could never be found again. */
function checkIdentity(user: User): void {
  const { emails } = user.after
  const hasEmail = Array.isArray(emails) ? emails.length > 0 : isFilled(user, 'emails')
  if (hasEmail || isFilled(user, 'external_id')) return
  const args = { fields: 'an e-mail address or an external id' }
  user.problems.push({ code: 'identity_missing', field: 'emails', args })
}

/** A custom role makes a team member of somebody whose row names no role. Out: whether the user has
 *  one in the end. */
function checkCustomRole(user: User): boolean {
  if (!isFilled(user, 'custom_role')) return false
  if (user.role !== defaultRole) return true
  if (!user.given.has('role')) {
    user.role = 'Agent'
    return true
  }
  if (user.given.has('custom_role')) {
    user.problems.push({ code: 'custom_role_for_end_user', field: 'custom_role' })
  } else put(user, 'custom_role', null)
  return false
}

/** A group that came by default, or from the time as a team member, goes without a word. */
function checkGroup(user: User): void {
  if (user.role !== defaultRole || !isFilled(user, 'default_group')) return
  if (user.given.has('default_group')) {
    user.problems.push({ code: 'group_for_end_user', field: 'default_group' })
  } else put(user, 'default_group', null)
}

function conflict(user: User, expected: string): void {
  const args = { restriction: user.restriction ?? '', role: user.role, expected }
  user.problems.push({ code: 'role_restriction_conflict', field: 'ticket_restriction', args })
}

function warn(user: User, code: string): void {
  const args = { restriction: user.restriction ?? '', role: user.role }
  user.problems.push({ code, field: 'ticket_restriction', args })
}

const saysRestriction = ({ given }: User) => given.has('ticket_restriction')

function checkBesideCustomRole(user: User): void {
  if (user.restriction === null) return
  if (saysRestriction(user)) {
    conflict(user, 'The custom role says what is seen: clear the cell.')
  } else put(user, 'ticket_restriction', null)
}

/** Admins see everything. */
function checkAdmin(user: User): void {
  const isOther = user.restriction !== null && user.restriction !== 'none'
  if (isOther && saysRestriction(user)) warn(user, 'restriction_ignored')
  put(user, 'ticket_restriction', 'none')
}

/** Only an agent must be told which tickets to see; `requested` is possible and rarely meant. */
function checkAgent(user: User): void {
  const isNews = user.isNew || user.given.has('role') || saysRestriction(user)
  if (user.restriction === null) {
    const args = { role: user.role, options: restrictions.join(', ') }
    user.problems.push({ code: 'restriction_missing', field: 'ticket_restriction', args })
  } else if (user.restriction === 'requested' && isNews) warn(user, 'unusual_restriction')
}

function checkEndUser(user: User): void {
  if (user.restriction !== null && ofEndUsers.includes(user.restriction)) return
  if (user.restriction !== null && saysRestriction(user)) {
    conflict(user, `End users have ${ofEndUsers.join(' or ')}.`)
  } else put(user, 'ticket_restriction', 'requested')
}
