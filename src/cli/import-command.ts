// `muster import <file>`: sends a file, shows how it goes, and says by its exit code what became of
// it: 0 every row is well, 1 rows were rejected or failed, 2 no import or not to its end.

import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { ImportJson } from '../import/import-json.ts'
import { CliError, createImport, followImport, type ImportFields, isOver } from './client.ts'
import { summaryLines } from './print.ts'
import { createProgress } from './progress.ts'
import { findServer, type ServerOptions, withServerOptions } from './server-options.ts'

interface ImportOptions extends ServerOptions {
  type?: string
  mode?: string
  organization?: string
  mapping?: string
  delimiter?: string
  allowPartial: boolean
  draft?: boolean
  wait?: boolean
  json?: boolean
}

/** Builds the command. */
export function importCommand(): Command {
  const command = new Command('import')
    .description('Import a CSV file')
    .argument('<file>', 'the CSV file')
    .option('--type <name>', 'record type, e.g. contacts')
    .option('--mode <mode>', 'create_only, update_only or create_and_update')
    .option('--organization <name or id>', 'one organization for the whole file')
    .option('--mapping <json>', 'header -> field or null, as JSON or @file.json')
    .option('--delimiter <character>', 'the character between cells (default: detected)')
    .option('--no-allow-partial', 'write nothing when any row is rejected')
    .option('--draft', 'only upload; map and start it later')
    .option('--wait', 'wait for the end, show progress, exit 1 when rows were rejected')
    .option('--json', 'print the import as JSON')
  return withServerOptions(command).action(runImportCommand)
}

async function runImportCommand(file: string, options: ImportOptions): Promise<void> {
  const server = await findServer(options)
  let job = await createImport(server, file, await formFields(options))
  if (options.wait && job.state !== 'draft') {
    const progress = createProgress(process.stderr)
    try {
      job = await followImport(server, job.id, progress.show)
    } finally {
      progress.end()
    }
  }
  console.log(options.json ? JSON.stringify(job) : textOf(job).join('\n'))
  process.exitCode = exitCodeOf(job)
}

async function formFields(options: ImportOptions): Promise<ImportFields> {
  const { type, mode, organization, mapping, delimiter } = options
  return {
    ...(type !== undefined && { type }),
    ...(mode !== undefined && { mode }),
    ...(organization !== undefined && { organization }),
    ...(mapping !== undefined && { mapping: await mappingText(mapping) }),
    ...(delimiter !== undefined && { delimiter }),
    ...(!options.allowPartial && { allow_partial: 'false' }),
    ...(options.draft && { start: 'false' })
  }
}

async function mappingText(given: string): Promise<string> {
  if (!given.startsWith('@')) return given
  return readFile(given.slice(1), 'utf8').catch((cause: Error) => {
    throw new CliError(`Cannot read the mapping: ${cause.message}`, null, cause)
  })
}

function textOf(job: ImportJson): string[] {
  if (!isOver(job)) {
    return [
      `Import ${job.id} of ${job.file.name}: ${job.state}`,
      `  see how it goes: muster show ${job.id} (or import with --wait)`
    ]
  }
  const lines = summaryLines(job)
  if (job.counts.rejected + job.counts.failed > 0) {
    lines.push(`  the rows to mend, as CSV: muster rejects ${job.id} > rejects.csv`)
  }
  return lines
}

/** 0, 1 or 2 as the head of this file says; 0 as well while nothing has been decided yet. */
export function exitCodeOf(job: ImportJson): number {
  if (job.state === 'failed' || job.state === 'cancelled') return 2
  return job.counts.rejected + job.counts.failed > 0 ? 1 : 0
}
