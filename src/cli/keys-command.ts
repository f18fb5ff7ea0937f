// `muster keys create | list | revoke`: API keys, made and taken away on the database itself, for
// whoever has lost the first one. What they do is in keys.ts, loaded only when it is needed.

import { Command } from 'commander'
import type { KeyOptions } from './keys.ts'
import { readId } from './read-id.ts'

/** Builds the command with its three verbs. */
export function keysCommand(): Command {
  const create = new Command('create')
    .description('Make a key and print it: it is shown only this once')
    .requiredOption('--name <name>', 'what the key is for, as it is shown beside imports')
    .option('--secrets', 'the key may read passwords and other secrets')
    .action(async (options: KeyOptions & { name: string; secrets?: boolean }) =>
      (await import('./keys.ts')).createKey(options)
    )
  const list = new Command('list')
    .description('List the keys: id, name, when made, whether it reads secrets, when revoked')
    .action(async (options: KeyOptions) => (await import('./keys.ts')).printKeys(options))
  const revoke = new Command('revoke')
    .description('Take a key away; it stops working within seconds')
    .argument('<id>', 'id of the key', readId)
    .action(async (id: number, options: KeyOptions) =>
      (await import('./keys.ts')).revokeKey(id, options)
    )
  const command = new Command('keys').description('Make, list and revoke API keys in the database')
  for (const verb of [create, list, revoke]) {
    verb.option('--account <id>', 'id of the account (default: the only one)', readId)
    command.addCommand(verb.exitOverride())
  }
  return command
}
