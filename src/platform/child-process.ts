// Keeps one child process of ours running: forked again with growing pauses when it dies.
// Called by the all-in-one process for the worker.

import { type ChildProcess, fork } from 'node:child_process'
import type { Log } from './log.ts'

export interface ChildOptions {
  /** The module to run. */
  path: string
  env: NodeJS.ProcessEnv
  /** Options of node itself. */
  nodeFlags: string[]
  log: Log
}

export interface Child {
  /** Process number; null between two lives. */
  pid(): number | null
  /** Asks the child to end by closing its channel; SIGKILL after `patienceMs`. */
  stop(patienceMs: number): Promise<void>
}

const firstPauseMs = 500
const longestPauseMs = 30_000
/** A child that lived this long was well: the next pause is short again. */
const healthyMs = 60_000

/** Forks the module and watches over it. */
export function superviseChild({ path, env, nodeFlags, log }: ChildOptions): Child {
  let child: ChildProcess | null = null
  let timer: NodeJS.Timeout | undefined
  let stopping = false
  let pauseMs = firstPauseMs

  const start = () => {
    const bornAt = Date.now()
    const born = fork(path, [], { env, execArgv: nodeFlags, serialization: 'advanced' })
    child = born
    born.on('error', (error) => log.error({ err: error }, 'child process error'))
    born.once('exit', (code, signal) => {
      child = null
      if (stopping) return
      if (Date.now() - bornAt > healthyMs) pauseMs = firstPauseMs
      log.error({ code, signal, pause_ms: pauseMs }, 'child process ended and is started again')
      timer = setTimeout(start, pauseMs)
      pauseMs = Math.min(pauseMs * 2, longestPauseMs)
    })
  }
  start()

  return {
    pid: () => child?.pid ?? null,
    async stop(patienceMs) {
      stopping = true
      clearTimeout(timer)
      const last = child
      if (!last) return
      const ended = new Promise((resolve) => last.once('exit', resolve))
      if (last.connected) last.disconnect()
      const killer = setTimeout(() => {
        log.warn('child process did not stop in time and is killed')
        last.kill('SIGKILL')
      }, patienceMs)
      await ended
      clearTimeout(killer)
    }
  }
}
