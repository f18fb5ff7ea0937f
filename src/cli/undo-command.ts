// `muster undo <id>`: takes an import (or an undo) back, waits for the end, and prints what was kept, by
// reason. Exit codes: 0 all was taken back, 1 something was kept or failed, 2 it did not end well.

import { Command } from 'commander'
import type { ImportJson } from '../import/import-json.ts'
import { getRows, postVerb, type Server } from './client.ts'
import { followImport } from './follow.ts'
import { summaryLines } from './print.ts'
import { createProgress } from './progress.ts'
import { readId } from './read-id.ts'
import { findServer, type ServerOptions, withServerOptions } from './server-options.ts'

interface UndoOptions extends ServerOptions {
  dryRun?: boolean
  json?: boolean
}

/** Builds the command. */
export function undoCommand(): Command {
  const command = new Command('undo')
    .description('Take an import back; of an undo: redo')
    .argument('<id>', 'id of the import', readId)
    .option('--dry-run', 'only say what would become of each record')
    .option('--json', 'print the undo as JSON')
  return withServerOptions(command).action(runUndoCommand)
}

async function runUndoCommand(id: number, options: UndoOptions): Promise<void> {
  const server = await findServer(options)
  const made = await postVerb(server, id, 'undo', { dry_run: options.dryRun ?? false })
  const progress = createProgress(process.stderr)
  const job = await followImport(server, made.id, progress.show).finally(() => progress.end())
  const lines = options.json ? [JSON.stringify(job)] : await linesOf(server, job)
  console.log(lines.join('\n'))
  const { kept, failed } = job.counts
  process.exitCode = job.state.startsWith('completed') ? (kept + failed > 0 ? 1 : 0) : 2
}

/** The counts, then the first of the records that were not taken back, by reason. */
async function linesOf(server: Server, job: ImportJson): Promise<string[]> {
  const lines = summaryLines(job)
  if (job.counts.kept + job.counts.failed === 0) return lines
  const rows = await getRows(server, job.id, 'kept,failed', 500)
  const byReason = Map.groupBy(rows, ({ problems }) => problems[0]?.code ?? 'no reason')
  for (const [code, those] of byReason) {
    lines.push(`  ${code}: ${those.length}${rows.length === 500 ? ' of the first 500' : ''}`)
    for (const { record_id, type, title, problems } of those.slice(0, 5)) {
      lines.push(`    ${type} ${record_id} ${title ?? ''}: ${problems[0]?.message ?? ''}`)
    }
  }
  lines.push(`  all of them: muster rows ${job.id} --outcome kept,failed`)
  return lines
}
