// Chance that can be repeated: the same seed, the same choices.

import { below, streamOf } from '../bench/random.ts'

export interface Random {
  /** A whole number from 0 to below `limit` (0 when there is none). */
  below(limit: number): number
}

export function createRandom(seed: number): Random {
  const stream = streamOf(seed, 0, 0x6368616f)
  return { below: (limit) => (limit < 1 ? 0 : below(stream, limit)) }
}
