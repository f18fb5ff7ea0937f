// Where the server is and which key to use: the options that most commands share.

import { type Command, Option } from 'commander'
import { readClientConfig } from '../config.ts'
import { readKeyFile } from '../key-file.ts'
import { CliError, type Server } from './client.ts'

export interface ServerOptions {
  server?: string
  key?: string
}

/** Adds --server and --key to a command. */
export function withServerOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--server <url>', 'address of Muster (MUSTER_URL; default http://127.0.0.1:8080)')
    )
    .addOption(new Option('--key <key>', 'API key (MUSTER_API_KEY)'))
}

const loopback = new Set(['127.0.0.1', 'localhost', '[::1]'])

/** Finds server and key: option, then environment, then the key that a server started on this
 *  machine left in its data folder (never sent to another machine). */
export async function findServer(options: ServerOptions): Promise<Server> {
  const config = readClientConfig()
  const url = options.server ?? config.url
  if (!URL.canParse(url)) throw new CliError(`"${url}" is not an address like http://host:port.`)
  const given = options.key ?? config.apiKey
  const key =
    given ?? (loopback.has(new URL(url).hostname) ? await readKeyFile(config.dataDir) : null)
  if (key !== null) return { url, key }
  throw new CliError(
    `An API key is needed: --key or MUSTER_API_KEY. The first one was printed when Muster first
started (npx muster serve); on its machine, npx muster keys create --name <name> makes another.`
  )
}
