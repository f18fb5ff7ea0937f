// Turns of imports at the workers. A job of the queue is a ticket: it wakes a worker, which then runs
// whatever import is next, one after the other, until none is left that may run.
//
// An import that runs keeps the ticket's id: should the worker die, the queue hands the same ticket
// to another one, which goes on with that import. Called by jobs.ts for each ticket.

import { withTransaction } from '../../platform/db.ts'
import { GivenBack } from '../finish-run.ts'
import type { RunContext, Turn } from '../run.ts'
import { startPulse } from '../stream/pulse.ts'
import { chooseImport, makesRoom } from './choose-import.ts'
import { beginTurn, findRunning, lockTurns, noteTurn, readLine } from './store.ts'

export interface Ticket {
  id: string
  /** Whether a worker has had it before, and was lost or failed. */
  isAgain: boolean
}

export interface ImportPlace {
  account_id: number
  import_id: number
}

// Then the worker takes another ticket: the queue keeps no job that never ends.
const ticketMs = 60_000

/** What a turn is for: `run` works on an import of any kind until its turn is over. */
export interface TurnContext extends Omit<RunContext, 'turn'> {
  run(context: RunContext, place: ImportPlace): Promise<void>
}

/** Runs imports until none may run. `wake` sends a new ticket. Throws what makes the queue hand the
 *  ticket out once more. */
export async function serveTicket(
  context: TurnContext,
  ticket: Ticket,
  wake: () => Promise<void>
): Promise<void> {
  const { signal } = context
  const until = performance.now() + ticketMs
  let next = ticket.isAgain ? await findRunning(context.pool, ticket.id) : null
  next ??= await takeTurn(context, ticket)
  while (next !== null) {
    await runTurn(context, next)
    if (signal.aborted || performance.now() > until) return await wake()
    next = await takeTurn(context, ticket)
  }
}

/** Runs an import until it has ended or its turn is over, or the process is to stop: then it is back in
 *  line for whoever takes the next ticket. */
async function runTurn({ run, ...context }: TurnContext, place: ImportPlace): Promise<void> {
  const pulse = startPulse(context.pool, place, context.log)
  try {
    await run({ ...context, turn: startTurn(context, place) }, place)
  } catch (error) {
    if (!(error instanceof GivenBack && context.signal.aborted)) throw error
  } finally {
    pulse.stop()
  }
}

/** Chooses the next import and marks it as running. Out: null when none may run. */
async function takeTurn(
  { pool, config }: Pick<RunContext, 'pool' | 'config'>,
  { id: ticket }: Ticket
): Promise<ImportPlace | null> {
  for (;;) {
    const taken = await withTransaction(pool, async (tx) => {
      await lockTurns(tx)
      const choice = chooseImport(await readLine(tx), config.maxRunningImports)
      if (choice === null) return null
      const { account_id, id: import_id } = choice.chosen
      // Somebody may have paused or cancelled it since it was read: then another one is next.
      return (await beginTurn(tx, choice, ticket)) && { account_id, import_id }
    })
    if (taken !== false) return taken
  }
}

// How often a turn that has lasted long enough looks whether somebody waits.
const askMs = 1_000
// Taking an import up again costs something. This many times that is a turn's least length.
const setUpFactor = 4

/** The turn of an import that begins now. */
function startTurn(
  { pool, config }: Pick<RunContext, 'pool' | 'config'>,
  { account_id, import_id }: ImportPlace
): Turn {
  const began = performance.now()
  const sliceMs = config.importSliceSeconds * 1_000
  let leastMs: number | null = null
  let asked = Number.NEGATIVE_INFINITY
  return {
    async isOver() {
      const now = performance.now()
      // First asked when the first batch is done.
      leastMs ??= sliceMs === 0 ? 0 : Math.max(sliceMs, setUpFactor * (now - began))
      if (now - began < leastMs || now - asked < Math.min(askMs, leastMs)) return false
      asked = now
      const isOver = makesRoom(await readLine(pool), import_id, config.maxRunningImports)
      if (isOver) await noteTurn(pool, account_id)
      return isOver
    }
  }
}
