// The places of this process: how many lanes it sends at once, for whom, and when a lane's turn is
// over. In: lanes that were claimed. Out: how many more may be. Called by deliver.ts; knows no database.
//
// Lanes whose last attempt failed or was slow have places of their own, and whose attempt turns out to
// be slow goes over to them while it is under way: those who answer at once never wait for those who
// do not.

/** A turn of a lane. */
export interface Turn {
  /** Whether the lane is to be given back, whatever is due in it. */
  isOver(): boolean
  /** Watches how long an attempt takes. */
  watch<T>(attempt: Promise<T>): Promise<T>
}

/** What places are made of. */
export interface PlaceSettings {
  /** Lanes at once of those that answer at once; of the laggards half as many. */
  places: number
  /** How long a lane is held when nobody waits. */
  turnMs: number
  /** An attempt that takes longer is slow. It is also the turn of a lane when others wait. */
  slowMs: number
}

interface Holder {
  account_id: number
  /** Claimed as a laggard, or found to be one. */
  laggard: boolean
  /** When the attempt under way began; null: none is. */
  attemptAt: number | null
}

/** Opens the places. */
export function openPlaces(settings: PlaceSettings) {
  const { places, slowMs } = settings
  const running = new Map<Promise<void>, Holder>()
  const crowded = { laggards: false, others: false }
  const kind = (laggards: boolean) => (laggards ? 'laggards' : 'others')

  /** How many more lanes may be held; `busy`: the accounts of those that are; `mostOfAccount`: how many
   *  of them may be of one account. */
  const room = (laggards: boolean) => {
    const most = laggards ? Math.ceil(places / 2) : places
    const busy = [...running.values()]
      .filter((one) => isLaggard(one, slowMs) === laggards)
      .map(({ account_id }) => account_id)
    // Those who went over to the laggards are beyond their number. There is an end to that.
    const limit = Math.max(0, Math.min(most - busy.length, 4 * places - running.size))
    return { limit, busy, mostOfAccount: Math.ceil(most / (laggards ? 4 : 2)) }
  }

  return {
    room,
    /** Notes whether others may be waiting, for want of places or because their account has its share:
     *  `claimed` lanes have just been taken where there was room for `limit`. */
    note(laggards: boolean, { claimed, limit }: { claimed: number; limit: number }) {
      const { busy, mostOfAccount } = room(laggards)
      const lanes = [...Map.groupBy(busy, (account_id) => account_id).values()]
      const hasShare = lanes.some(({ length }) => length >= mostOfAccount)
      crowded[kind(laggards)] = claimed === limit || hasShare
    },
    /** Whether somebody may be waiting. */
    isCrowded: () => crowded.laggards || crowded.others,
    /** Holds a lane while `work` is under way. */
    take(account_id: number, laggard: boolean, work: (turn: Turn) => Promise<void>) {
      const holder = { account_id, laggard, attemptAt: null }
      const turn = beginTurn(holder, settings, () => crowded[kind(laggard)])
      const task: Promise<void> = work(turn).finally(() => running.delete(task))
      running.set(task, holder)
      return task
    },
    /** Until all lanes are given back. */
    async empty(): Promise<void> {
      await Promise.all(running.keys())
    }
  }
}

const isLate = ({ attemptAt }: Holder, slowMs: number) =>
  attemptAt !== null && performance.now() - attemptAt > slowMs

const isLaggard = (holder: Holder, slowMs: number) => holder.laggard || isLate(holder, slowMs)

function beginTurn(
  holder: Holder,
  { turnMs, slowMs }: PlaceSettings,
  isCrowded: () => boolean
): Turn {
  const begunAt = performance.now()
  const wasLaggard = holder.laggard
  return {
    isOver() {
      // Who turned out to be slow goes on in the line of the slow.
      if (holder.laggard !== wasLaggard) return true
      const most = isCrowded() ? Math.min(slowMs, turnMs) : turnMs
      return performance.now() - begunAt > most
    },
    watch(attempt) {
      holder.attemptAt = performance.now()
      return attempt.finally(() => {
        holder.laggard ||= isLate(holder, slowMs)
        holder.attemptAt = null
      })
    }
  }
}
