// `muster show <id>`, `muster rows <id>`, `muster rejects <id>`: an import, its rows with their
// outcomes, and the rejected rows ready to be mended and sent again; `muster pause <id>` and the like.

import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { call, getImport, postVerb } from './client.ts'
import { exitCodeOf } from './import-command.ts'
import { summaryLines } from './print.ts'
import { readId } from './read-id.ts'
import { findServer, type ServerOptions, withServerOptions } from './server-options.ts'

/** Builds `muster show`. */
export function showCommand(): Command {
  const command = new Command('show')
    .description('Show an import: state, counts, progress')
    .argument('<id>', 'id of the import', readId)
    .option('--json', 'print it as JSON')
  return withServerOptions(command).action(
    async (id: number, options: ServerOptions & { json?: boolean }) => {
      const job = await getImport(await findServer(options), id)
      console.log(options.json ? JSON.stringify(job) : summaryLines(job).join('\n'))
      process.exitCode = exitCodeOf(job)
    }
  )
}

/** Builds `muster rows`: one JSON object per line, in file order. */
export function rowsCommand(): Command {
  const command = new Command('rows')
    .description('Print what became of each row, as JSON lines')
    .argument('<id>', 'id of the import', readId)
    .option(
      '--outcome <outcome>',
      'only created, updated, unchanged, skipped, rejected, failed, reverted or kept'
    )
  return withServerOptions(command).action(
    async (id: number, options: ServerOptions & { outcome?: string }) => {
      const query = options.outcome ? `?outcome=${encodeURIComponent(options.outcome)}` : ''
      await print(options, `/imports/${id}/rows${query}`, 'application/x-ndjson')
    }
  )
}

/** Builds `muster rejects`: the rejected rows in the file's own columns, as CSV. */
export function rejectsCommand(): Command {
  const command = new Command('rejects')
    .description('Print the rejected rows as CSV, to mend and import again')
    .argument('<id>', 'id of the import', readId)
  return withServerOptions(command).action((id: number, options: ServerOptions) =>
    print(options, `/imports/${id}/rejects.csv`, 'text/csv')
  )
}

const verbs = {
  pause: 'Pause an import after the batch in flight',
  resume: 'Let a paused import go on',
  cancel: 'Cancel an import after the batch in flight; what was written stays',
  retry: 'Take the rows again that failed on our side, or were not reached'
}

/** Builds `muster pause`, `resume`, `cancel` and `retry`: they print the import as it is then. */
export function lifecycleCommands(): Command[] {
  return Object.entries(verbs).map(([verb, description]) => {
    const command = new Command(verb)
      .description(description)
      .argument('<id>', 'id of the import', readId)
      .option('--json', 'print it as JSON')
    return withServerOptions(command).action(
      async (id: number, options: ServerOptions & { json?: boolean }) => {
        const job = await postVerb(await findServer(options), id, verb)
        console.log(options.json ? JSON.stringify(job) : summaryLines(job).join('\n'))
      }
    )
  })
}

/** Streams an answer to stdout. */
async function print(options: ServerOptions, path: string, accept: string): Promise<void> {
  const response = await call(await findServer(options), path, { headers: { accept } })
  if (response.body) await pipeline(response.body, process.stdout, { end: false })
}
