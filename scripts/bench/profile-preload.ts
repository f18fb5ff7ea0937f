// Loaded into the service by NODE_OPTIONS=--import when the benchmark profiles. In the worker,
// SIGCONT starts a CPU profile and the next SIGCONT ends it and leaves it in BENCH_PROFILE_DIR.
// (Other free signals end the service.) Does nothing in other processes.

import { renameSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'

const samplingMicroseconds = 500

function armProfiler(folder: string): void {
  let session: Session | null = null
  process.on('SIGCONT', () => {
    if (session === null) {
      session = new Session()
      session.connect()
      session.post('Profiler.enable')
      session.post('Profiler.setSamplingInterval', { interval: samplingMicroseconds })
      session.post('Profiler.start')
      return
    }
    const ended = session
    session = null
    ended.post('Profiler.stop', (error, result) => {
      const path = join(folder, 'worker.cpuprofile')
      writeFileSync(`${path}.part`, JSON.stringify(error ? null : result.profile))
      renameSync(`${path}.part`, path)
      ended.disconnect()
    })
  })
}

const folder = process.env.BENCH_PROFILE_DIR
if (folder && process.argv[1]?.endsWith('worker.ts')) armProfiler(folder)
