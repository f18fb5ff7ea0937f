// Who is next: which of the imports that wait gets a worker, and when a running one makes room.
// Pure: the line as it was read in, a choice out. Called by take-turn.ts.
//
// One import at a time for each (account, record type), the oldest first. Accounts take turns: first
// comes the one with the fewest running imports, then the one whose last turn is longest ago. Within
// an account the oldest comes first, but a small import may go before older ones as long as each of
// them loses no more than a minute in all.

/** An import that runs, or the one of its account and type that is next to run. */
export interface InLine {
  account_id: number
  type: string
  id: number
  isRunning: boolean
  /** Milliseconds since 1970. */
  queuedAt: number
  /** What is left of its file; null where no file says how long it takes. */
  bytesLeft: number | null
  /** Estimated seconds that smaller imports have taken from it so far. */
  overtakenSeconds: number
  /** When its account last got, or gave up, a turn; 0: never. */
  turnedAt: number
}

/** An import that is to run, and those of its account that it goes before. */
export interface Choice {
  chosen: InLine
  /** Estimated seconds that it takes from those it overtakes. */
  seconds: number
  overtaken: InLine[]
}

// A careful guess: half of what a small machine does.
const bytesPerSecond = 1_000_000
const smallSeconds = 10
const mostOvertakenSeconds = 60

const estimate = ({ bytesLeft }: InLine) =>
  bytesLeft === null ? Number.POSITIVE_INFINITY : bytesLeft / bytesPerSecond

const isSmall = (one: InLine) => estimate(one) <= smallSeconds

/** The import that is to run next; null: none may. `maxRunning`: how many imports of one account may
 *  run at the same time, 0: any number. */
export function chooseImport(line: InLine[], maxRunning: number): Choice | null {
  const running = countRunning(line)
  const isFree = ({ account_id }: InLine) =>
    maxRunning === 0 || runningOf(running, account_id) < maxRunning
  const waiting = waitingOf(line).filter(isFree)
  const [first, ...others] = waiting
  if (!first) return null
  const next = others.reduce((best, one) => (isBefore(running, one, best) ? one : best), first)
  return chooseOf(waiting.filter((one) => one.account_id === next.account_id))
}

/** Whether a running import whose turn has lasted long enough makes room: an account with fewer
 *  imports at work waits, or a small one of its own that it can still let by. */
export function makesRoom(line: InLine[], id: number, maxRunning: number): boolean {
  const own = line.find((one) => one.id === id && one.isRunning)
  if (!own) return false
  const running = countRunning(line)
  const atWork = runningOf(running, own.account_id)
  const waiting = waitingOf(line)
  const again = chooseOf([own, ...waiting.filter((one) => one.account_id === own.account_id)])
  if (again && again.chosen !== own && isSmall(again.chosen) && !isSmall(own)) return true
  return waiting.some((one) => {
    if (one.account_id === own.account_id) return false
    const theirs = runningOf(running, one.account_id)
    return theirs < atWork && (maxRunning === 0 || theirs < maxRunning)
  })
}

/** The oldest, unless a small one can go before it. */
function chooseOf(waiting: InLine[]): Choice | null {
  const oldestFirst = waiting.toSorted((a, b) => a.queuedAt - b.queuedAt || a.id - b.id)
  const small = oldestFirst.findIndex((one, at) => canOvertake(one, oldestFirst.slice(0, at)))
  const index = Math.max(small, 0)
  const chosen = oldestFirst[index]
  if (!chosen) return null
  return { chosen, seconds: estimate(chosen), overtaken: oldestFirst.slice(0, index) }
}

function canOvertake(one: InLine, older: InLine[]): boolean {
  if (!isSmall(one)) return false
  const seconds = estimate(one)
  return older.every((other) => other.overtakenSeconds + seconds <= mostOvertakenSeconds)
}

const laneOf = ({ account_id, type }: InLine) => `${account_id}/${type}`

/** Those that could run: no other import of their account and type does. */
function waitingOf(line: InLine[]): InLine[] {
  const busy = new Set(line.filter((one) => one.isRunning).map(laneOf))
  return line.filter((one) => !one.isRunning && !busy.has(laneOf(one)))
}

function countRunning(line: InLine[]): Map<number, number> {
  const counts = new Map<number, number>()
  for (const { account_id, isRunning } of line) {
    if (isRunning) counts.set(account_id, runningOf(counts, account_id) + 1)
  }
  return counts
}

const runningOf = (running: Map<number, number>, account_id: number) => running.get(account_id) ?? 0

function isBefore(running: Map<number, number>, a: InLine, b: InLine): boolean {
  const fewer = runningOf(running, a.account_id) - runningOf(running, b.account_id)
  return (fewer || a.turnedAt - b.turnedAt || a.queuedAt - b.queuedAt || a.id - b.id) < 0
}
