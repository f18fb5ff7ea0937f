// The records that the rows of an import have been about so far: a second row about one of them is a
// repeat. Ids of one import mostly follow each other, so 32 of them share an entry: about 10 MB for
// 6 million records.

export interface TouchedRecords {
  has(id: number): boolean
  add(id: number): void
}

/** An empty set of record ids. */
export function createTouchedRecords(): TouchedRecords {
  const words = new Map<number, number>()
  return {
    has(id) {
      const word = words.get(Math.floor(id / 32))
      return word !== undefined && (word & (1 << (id % 32))) !== 0
    },
    add(id) {
      const place = Math.floor(id / 32)
      words.set(place, (words.get(place) ?? 0) | (1 << (id % 32)))
    }
  }
}
