// `muster secrets status | rotate`: which keys are in use, and taking a new one into use everywhere.
// What they do is in secrets.ts, loaded only when it is needed.

import { Command } from 'commander'

/** Builds the command with its two verbs. */
export function secretsCommand(): Command {
  const status = new Command('status')
    .description('Say how much is encrypted with which key')
    .action(async () => (await import('./secrets.ts')).printStatus())
  const rotate = new Command('rotate')
    .description('Encrypt everything anew that is not encrypted with the first key')
    .action(async () => (await import('./secrets.ts')).rotateSecrets())
  const command = new Command('secrets').description(
    'Keys that passwords and uploads are encrypted with'
  )
  for (const verb of [status, rotate]) command.addCommand(verb.exitOverride())
  return command
}
