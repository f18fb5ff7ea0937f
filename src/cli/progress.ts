// Progress of an import on stderr: a bar on a terminal, a line for each change of state elsewhere.
// Called by the import command and the demo with every state seen.

import cliProgress from 'cli-progress'
import type { ImportProgress } from '../import/import-json.ts'

export interface Progress {
  show(job: ImportProgress): void
  /** Ends the bar's line; call before anything else is printed. */
  end(): void
}

/** Makes the progress display that fits the stream. */
export function createProgress(stream: NodeJS.WriteStream): Progress {
  const display = stream.isTTY ? createBar(stream) : createLines(stream)
  let shown: ImportProgress | null = null
  // Only the command ends, and the terminal is left as it was.
  const interrupted = () => {
    display.end()
    stream.write(`\nimport ${shown?.id} goes on: muster show ${shown?.id}\n`)
    process.exit(130)
  }
  return {
    show(job) {
      if (shown === null) process.once('SIGINT', interrupted)
      shown = job
      display.show(job)
    },
    end() {
      process.off('SIGINT', interrupted)
      display.end()
    }
  }
}

function createBar(stream: NodeJS.WriteStream): Progress {
  const bar = new cliProgress.SingleBar(
    {
      stream,
      format: '{bar} {percentage} % | {rows} rows | {speed} rows/s | {left}',
      hideCursor: true,
      clearOnComplete: false,
      fps: 10
    },
    cliProgress.Presets.shades_classic
  )
  let started = false
  return {
    show(job) {
      // The number of rows is known at the end of the file only; that of bytes from the start.
      const payload = {
        rows: job.rows.done.toLocaleString('en'),
        speed: Math.round(job.rows.per_second ?? 0).toLocaleString('en'),
        left: job.rows.eta_seconds === null ? job.state : `${job.rows.eta_seconds} s left`
      }
      // An undo has no bytes, and knows its records.
      const { done, total } = job.bytes.total > 0 ? job.bytes : job.rows
      if (!started) bar.start(total ?? 0, done, payload)
      else {
        bar.setTotal(total ?? 0)
        bar.update(done, payload)
      }
      started = true
    },
    end() {
      if (started) bar.stop()
    }
  }
}

function createLines(stream: NodeJS.WriteStream): Progress {
  let last = ''
  return {
    show(job) {
      if (job.state === last) return
      last = job.state
      stream.write(`import ${job.id}: ${job.state}\n`)
    },
    end() {}
  }
}
