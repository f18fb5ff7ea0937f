// The life of an import: every move that is possible, and no other.

import t from 'tap'
import { canMove, importStates, isFinished, statesBefore } from '../../src/import/status.ts'

const possible = new Set([
  'draft>queued',
  'draft>cancelled',
  'queued>running',
  'queued>paused',
  'queued>cancelled',
  'running>queued',
  'running>pausing',
  'running>cancelling',
  'running>ready',
  'running>completed',
  'running>completed_with_errors',
  'running>failed',
  'pausing>running',
  'pausing>paused',
  'pausing>cancelling',
  'pausing>ready',
  'pausing>completed',
  'pausing>completed_with_errors',
  'pausing>failed',
  'paused>queued',
  'paused>cancelled',
  'cancelling>cancelled',
  'cancelling>ready',
  'cancelling>completed',
  'cancelling>completed_with_errors',
  'cancelling>failed',
  'cancelled>queued',
  'cancelled>undoing',
  'cancelled>undone',
  'cancelled>partially_undone',
  'completed>undoing',
  'completed>undone',
  'completed>partially_undone',
  'completed_with_errors>queued',
  'completed_with_errors>undoing',
  'completed_with_errors>undone',
  'completed_with_errors>partially_undone',
  'failed>queued',
  'failed>undoing',
  'failed>undone',
  'failed>partially_undone',
  'undoing>undone',
  'undoing>partially_undone',
  'undoing>cancelled',
  'undoing>completed',
  'undoing>completed_with_errors',
  'undoing>failed',
  'undone>partially_undone',
  'undone>cancelled',
  'undone>completed',
  'undone>completed_with_errors',
  'undone>failed',
  'partially_undone>undoing',
  'partially_undone>undone',
  'partially_undone>cancelled',
  'partially_undone>completed',
  'partially_undone>completed_with_errors',
  'partially_undone>failed'
])

t.test('every pair of states is either a move of the table or none', async (t) => {
  for (const from of importStates) {
    for (const to of importStates)
      t.equal(canMove(from, to), possible.has(`${from}>${to}`), `${from}>${to}`)
  }
})

t.test('finished are those that change only when somebody asks for it', async (t) => {
  t.strictSame(importStates.filter(isFinished), [
    'cancelled',
    'ready',
    'completed',
    'completed_with_errors',
    'failed',
    'undone',
    'partially_undone'
  ])
})

t.test('says from where a state can be reached', async (t) => {
  t.strictSame(statesBefore('cancelling'), ['running', 'pausing'])
})
