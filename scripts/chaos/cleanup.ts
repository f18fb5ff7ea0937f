// What has to be ended: the newest first, all of it, whatever goes wrong on the way.

import type { Teardown } from '../../test/helpers/cluster.ts'

export interface Cleanup extends Teardown {
  /** Ends everything. Throws the first error when all is done. */
  run(): Promise<void>
}

export function createCleanup(): Cleanup {
  const works: (() => unknown)[] = []
  return {
    teardown: (work) => works.push(work),
    async run() {
      const errors: unknown[] = []
      for (let work = works.pop(); work; work = works.pop()) {
        await Promise.resolve(work()).catch((error) => errors.push(error))
      }
      if (errors.length > 0) throw errors[0]
    }
  }
}
