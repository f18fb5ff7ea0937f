// A set of record ids. Ids of one import mostly follow each other, so 32 of them share an entry: about
// 10 MB for 6 million records.

export interface IdSet {
  size: number
  has(id: number): boolean
  add(id: number): void
  ids(): Iterable<number>
}

/** An empty set. */
export function createIdSet(): IdSet {
  const words = new Map<number, number>()
  const bitOf = (id: number) => 1 << (id % 32)
  const set: IdSet = {
    size: 0,
    has: (id) => ((words.get(Math.floor(id / 32)) ?? 0) & bitOf(id)) !== 0,
    add(id) {
      if (set.has(id)) return
      const place = Math.floor(id / 32)
      words.set(place, (words.get(place) ?? 0) | bitOf(id))
      set.size++
    },
    *ids() {
      for (const [place, word] of words) {
        for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) yield place * 32 + bit
      }
    }
  }
  return set
}
