// Whose turn it is, from plain data.

import t from 'tap'
import { chooseImport, type InLine, makesRoom } from '../../../src/import/schedule/choose-import.ts'

const megabyte = 1_000_000
let ids = 0

function waiting(account_id: number, type: string, more: Partial<InLine> = {}): InLine {
  const id = ++ids
  const large = { bytesLeft: 100 * megabyte, overtakenSeconds: 0, turnedAt: 0 }
  return { account_id, type, id, isRunning: false, queuedAt: id, ...large, ...more }
}

const running = (account_id: number, type: string, more: Partial<InLine> = {}) =>
  waiting(account_id, type, { isRunning: true, ...more })

const idOf = (line: InLine[], maxRunning = 0) => chooseImport(line, maxRunning)?.chosen.id ?? null

t.test('accounts take turns, whatever they have sent', async (t) => {
  const a = waiting(1, 'contacts', { turnedAt: 50 })
  const b = waiting(2, 'contacts', { turnedAt: 40 })
  const c = waiting(3, 'contacts')
  t.equal(idOf([]), null)
  t.equal(idOf([a, b]), b.id, 'the one whose turn is longer ago')
  t.equal(idOf([a, b, c]), c.id, 'one that had none yet')
  t.equal(idOf([a, b, c, running(3, 'locations')]), b.id, 'one that has no worker')
})

t.test('one import of a type at a time, the oldest of an account first', async (t) => {
  const old = waiting(1, 'contacts')
  const young = waiting(1, 'locations')
  t.equal(idOf([young, old]), old.id)
  t.equal(idOf([young, old, running(1, 'contacts')]), young.id)
  t.equal(idOf([young, old, running(1, 'contacts')], 1), null, 'the account has all it may')
  t.equal(idOf([young, running(2, 'locations')], 1), young.id, 'types of others are others')
})

t.test('a small import goes first, as long as it costs nobody more than a minute', async (t) => {
  const large = waiting(1, 'contacts')
  const small = waiting(1, 'locations', { bytesLeft: 10 * megabyte })
  t.match(chooseImport([large, small], 0), { chosen: small, seconds: 10, overtaken: [large] })
  const patient = { ...large, overtakenSeconds: 51 }
  t.match(chooseImport([patient, small], 0), { chosen: patient, overtaken: [] })
  const tiny = waiting(1, 'members', { bytesLeft: 9 * megabyte })
  t.match(chooseImport([patient, small, tiny], 0)?.overtaken, [patient, small], 'one that fits')
  t.equal(idOf([large, { ...small, bytesLeft: 11 * megabyte }]), large.id)
  t.equal(idOf([large, { ...small, bytesLeft: null }]), large.id, 'nobody knows how long it takes')
  const other = waiting(2, 'contacts', { turnedAt: -1 })
  t.equal(idOf([large, small, other]), other.id, 'not before others')
})

t.test('a running import makes room for other accounts and for small ones', async (t) => {
  const own = running(1, 'contacts')
  t.equal(makesRoom([own], own.id, 0), false)
  t.equal(makesRoom([own, waiting(2, 'contacts')], own.id, 0), true)
  t.equal(makesRoom([own, waiting(1, 'contacts')], own.id, 0), false, 'it waits for this one')
  t.equal(makesRoom([own, waiting(1, 'locations')], own.id, 0), false, 'not for its own')
  const small = waiting(1, 'locations', { bytesLeft: 1 })
  t.equal(makesRoom([own, small], own.id, 0), true)
  t.equal(makesRoom([{ ...own, overtakenSeconds: 60 }, small], own.id, 0), false)
  t.equal(makesRoom([{ ...own, bytesLeft: 5 }, small], own.id, 0), false, 'small itself')
  const theirs = running(2, 'contacts')
  t.equal(makesRoom([own, theirs, waiting(2, 'locations')], own.id, 0), false, 'they have as much')
  const second = running(1, 'members')
  const line = [own, second, theirs, waiting(2, 'locations')]
  t.equal(makesRoom(line, own.id, 0), true, 'they have less')
  t.equal(makesRoom(line, own.id, 1), false, 'they may not have more')
  t.equal(makesRoom([waiting(2, 'contacts')], own.id, 0), false, 'somebody else has it now')
})
