// How a property is held to generated files: the same ones in every run, so that a red test is about
// the change at hand. FC_SEED and FC_RUNS look for others.

import fc from 'fast-check'

/** Runs a property `runs` times. Throws an Error with the failing example. */
export async function holds<T>(property: fc.IAsyncProperty<T>, runs: number): Promise<void> {
  const { FC_RUNS = runs, FC_SEED = 20_261_122 } = process.env
  await fc.assert(property, {
    numRuns: Number(FC_RUNS),
    seed: Number(FC_SEED),
    endOnFailure: true
  })
}
