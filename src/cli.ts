// The command line: `muster serve | migrate | keys | secrets | import | apply | show | rows`,
// and `rejects | undo | pause | resume | cancel | retry | listen`.
// Exit codes: 0 done, 1 rows were rejected or failed, 2 anything that kept it from being done.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { applyCommand } from './cli/apply-command.ts'
import { CliError } from './cli/client.ts'
import { importCommand } from './cli/import-command.ts'
import { keysCommand } from './cli/keys-command.ts'
import { listenCommand } from './cli/listen-command.ts'
import { secretsCommand } from './cli/secrets-command.ts'
import { lifecycleCommands, rejectsCommand, rowsCommand, showCommand } from './cli/show-commands.ts'
import { undoCommand } from './cli/undo-command.ts'

const packageFile = join(import.meta.dirname, '..', 'package.json')
const { version } = JSON.parse(await readFile(packageFile, 'utf8')) as { version: string }

const program = new Command('muster')
  .description('Self-hosted CSV imports with an outcome for every row')
  .version(version)
  .exitOverride()

program
  .command('serve')
  .description('Run everything: API, worker and, unless DATABASE_URL is set, PostgreSQL')
  .action(async () => (await import('./main.ts')).main())
program
  .command('migrate')
  .description('Bring the database of DATABASE_URL (or the embedded one) up to date')
  .action(async () => (await import('./cli/migrate-command.ts')).runMigrate())
const commands = [
  keysCommand(),
  secretsCommand(),
  importCommand(),
  applyCommand(),
  showCommand(),
  rowsCommand(),
  rejectsCommand(),
  undoCommand(),
  ...lifecycleCommands(),
  listenCommand()
]
for (const command of commands) program.addCommand(command.exitOverride())

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = await reportError(error)
}

async function reportError(error: unknown): Promise<number> {
  // Help and version are "errors" with code 0; for the others commander has printed the reason.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof CliError) {
    const reason = error.problem ?? { detail: error.message }
    if (process.argv.includes('--json')) console.log(JSON.stringify({ error: reason }))
    console.error(error.message)
    return 2
  }
  const { startErrorText } = await import('./start-up.ts')
  console.error(startErrorText(error))
  return 2
}
