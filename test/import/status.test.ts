// The life of an import: every move that is possible, and no other.

import t from 'tap'
import { canMove, importStates, isFinished, statesBefore } from '../../src/import/status.ts'

const possible = new Set([
  'draft>queued',
  'draft>cancelled',
  'queued>running',
  'queued>cancelled',
  'running>queued',
  'running>cancelling',
  'running>completed',
  'running>completed_with_errors',
  'running>failed',
  'cancelling>queued',
  'cancelling>cancelled',
  'cancelling>completed',
  'cancelling>completed_with_errors',
  'cancelling>failed'
])

t.test('every pair of states is either a move of the table or none', async (t) => {
  for (const from of importStates) {
    for (const to of importStates)
      t.equal(canMove(from, to), possible.has(`${from}>${to}`), `${from}>${to}`)
  }
})

t.test('finished states are those without a way out', async (t) => {
  t.strictSame(importStates.filter(isFinished), [
    'cancelled',
    'completed',
    'completed_with_errors',
    'failed'
  ])
})

t.test('says from where a state can be reached', async (t) => {
  t.strictSame(statesBefore('cancelled'), ['draft', 'queued', 'cancelling'])
})
