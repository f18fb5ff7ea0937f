// `muster apply <id>`: does exactly what a dry run showed. Prints and exits as `muster import`.

import { Command } from 'commander'
import { postVerb } from './client.ts'
import { tellOfImport } from './import-command.ts'
import { readId } from './read-id.ts'
import { findServer, type ServerOptions, withServerOptions } from './server-options.ts'

interface ApplyOptions extends ServerOptions {
  allowPartial: boolean
  wait?: boolean
  json?: boolean
}

/** Builds the command. */
export function applyCommand(): Command {
  const command = new Command('apply')
    .description('Do exactly what a dry run showed')
    .argument('<id>', 'id of the dry run', readId)
    .option('--no-allow-partial', 'write nothing when any row is not as it was shown')
    .option('--wait', 'wait for the end, show progress, exit 1 when rows were rejected')
    .option('--json', 'print the import as JSON')
  return withServerOptions(command).action(async (id: number, options: ApplyOptions) => {
    const server = await findServer(options)
    const choices = options.allowPartial ? {} : { allow_partial: false }
    await tellOfImport(server, await postVerb(server, id, 'apply', choices), options)
  })
}
