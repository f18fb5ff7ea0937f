// `muster import <file>`: sends a file, shows how it goes, and says by its exit code what became of
// it: 0 every row is well, 1 rows were rejected or failed, 2 no import or not to its end.

import { readFile } from 'node:fs/promises'
import { Command } from 'commander'
import type { ImportJson } from '../import/import-json.ts'
import { CliError, createImport, type ImportFields, isOver, type Server } from './client.ts'
import { followImport } from './follow.ts'
import { summaryLines } from './print.ts'
import { createProgress } from './progress.ts'
import { findServer, type ServerOptions, withServerOptions } from './server-options.ts'

interface ImportOptions extends ServerOptions {
  allowPartial: boolean
  requireExternalId?: boolean
  draft?: boolean
  dryRun?: boolean
  wait?: boolean
  json?: boolean
}

/** Options that are handed on as they are: how they are written, and what they mean. */
const plainOptions: [flags: string, description: string][] = [
  ['--type <name>', 'record type, e.g. contacts'],
  ['--profile <name>', 'import profile whose choices apply where nothing else is said'],
  ['--mode <mode>', 'create_only, update_only or create_and_update'],
  ['--organization <name or id>', 'one organization for the whole file'],
  ['--delimiter <character>', 'the character between cells (default: detected)'],
  ['--encoding <name>', 'what the file is written in, e.g. windows-1252 (default: UTF-8)'],
  ['--blank <policy>', 'what blank cells do: overwrite, keep or default'],
  ['--clear-marker <text>', 'the cell that clears a field, or none (default: __CLEAR__)'],
  ['--repeats <policy>', 'rows about one record: reject or merge'],
  ['--similar <policy>', 'rows very like an existing record: warn, error or ignore'],
  ['--default-country <code>', 'country of phone numbers without country code, e.g. DE'],
  ['--notify-emails <addresses>', 'who gets a mail when it has ended, between commas']
]

/** Options that are JSON objects, in the command line or in a file. */
const jsonOptions: [flags: string, description: string][] = [
  ['--mapping <json>', 'header -> field or null'],
  ['--update <json>', 'field -> replace or append'],
  ['--separators <json>', 'field -> separator of its values'],
  ['--on-missing <json>', 'field -> create, fail or ignore']
]

/** Builds the command. */
export function importCommand(): Command {
  const command = new Command('import')
    .description('Import a CSV file')
    .argument('<file>', 'the CSV file')
    .option('--no-allow-partial', 'write nothing when any row is rejected')
    .option('--require-external-id', 'with update_only: find rows by external id only')
    .option('--draft', 'only upload; map and start it later')
    .option('--dry-run', 'write nothing, only show what would become of each row')
    .option('--wait', 'wait for the end, show progress, exit 1 when rows were rejected')
    .option('--json', 'print the import as JSON')
  for (const [flags, description] of plainOptions) command.option(flags, description)
  for (const [flags, description] of jsonOptions) {
    command.option(flags, `${description}, as JSON or @file.json`)
  }
  return withServerOptions(command).action(runImportCommand)
}

async function runImportCommand(file: string, options: ImportOptions): Promise<void> {
  const server = await findServer(options)
  const job = await createImport(server, file, await formFields(options))
  // Of a dry run only the end is of interest.
  await tellOfImport(server, job, { ...options, wait: options.wait || options.dryRun })
}

/** Prints an import, at its end if that is to be waited for, and sets the exit code. */
export async function tellOfImport(
  server: Server,
  made: ImportJson,
  options: { wait?: boolean | undefined; json?: boolean | undefined }
): Promise<void> {
  let job = made
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
  const given = options as unknown as Record<string, string | undefined>
  const fields: ImportFields = {}
  for (const [flags] of plainOptions) fields[fieldOf(flags)] = given[keyOf(flags)]
  for (const [flags] of jsonOptions) {
    const text = given[keyOf(flags)]
    if (text !== undefined) fields[fieldOf(flags)] = await jsonText(fieldOf(flags), text)
  }
  if (!options.allowPartial) fields.allow_partial = 'false'
  if (options.requireExternalId) fields.require_external_id = 'true'
  if (options.dryRun) fields.dry_run = 'true'
  if (options.draft) fields.start = 'false'
  return fields
}

/** `--on-missing <json>` -> on_missing, as the server calls it. */
function fieldOf(flags: string): string {
  return (flags.split(' ')[0] ?? '').slice(2).replaceAll('-', '_')
}

/** `--on-missing <json>` -> onMissing, as commander calls it. */
function keyOf(flags: string): string {
  return fieldOf(flags).replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

async function jsonText(name: string, given: string): Promise<string> {
  if (!given.startsWith('@')) return given
  return readFile(given.slice(1), 'utf8').catch((cause: Error) => {
    throw new CliError(`Cannot read the ${name}: ${cause.message}`, null, cause)
  })
}

function textOf(job: ImportJson): string[] {
  if (!isOver(job)) {
    return [
      `Import ${job.id} of ${job.file?.name}: ${job.state}`,
      `  see how it goes: muster show ${job.id} (or import with --wait)`
    ]
  }
  const lines = summaryLines(job)
  if (job.counts.rejected + job.counts.failed > 0) {
    lines.push(`  the rows to mend, as CSV: muster rejects ${job.id} > rejects.csv`)
  }
  if (job.state === 'ready') {
    lines.push(
      `  nothing was written; what would change, row by row: muster rows ${job.id}`,
      `  to do exactly that: muster apply ${job.id}`
    )
  }
  return lines
}

/** 0, 1 or 2 as the head of this file says; 0 as well while nothing has been decided yet. */
export function exitCodeOf(job: ImportJson): number {
  if (job.state === 'failed' || job.state === 'cancelled') return 2
  return job.counts.rejected + job.counts.failed > 0 ? 1 : 0
}
