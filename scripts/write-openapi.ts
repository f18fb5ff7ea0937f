// Writes openapi/openapi.json from the route schemas, in a stable order. `--check` writes nothing
// and exits with 1 when the file is not what it would write. Needs no database.

import { createSecretKey, randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { buildApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { createPool } from '../src/platform/db.ts'
import { createLog } from '../src/platform/log.ts'
import { createQueue } from '../src/platform/queue.ts'
import { makeSecrets } from '../src/platform/secrets.ts'

const path = new URL('../openapi/openapi.json', import.meta.url)

/** The document as it is committed: pretty JSON with a line end. */
export async function renderOpenApi(): Promise<string> {
  const log = createLog('silent', 'openapi')
  // Never connected to: building the app asks the database nothing.
  const connectionString = 'postgres://127.0.0.1:1/none'
  const pool = createPool({
    connectionString,
    name: 'openapi',
    max: 1,
    statementTimeoutMs: 0,
    onError: () => {}
  })
  const boss = createQueue({ connectionString, log, role: 'send' })
  const config = readConfig({ MUSTER_DATA_DIR: tmpdir() })
  const secrets = makeSecrets([{ id: 'none', key: createSecretKey(randomBytes(32)) }])
  const app = await buildApp({ config, pool, boss, secrets, log })
  const document = app.swagger() as { paths: object; components: { schemas: object } }
  await app.close()
  const ordered = {
    ...document,
    components: { ...document.components, schemas: byName(document.components.schemas) },
    paths: byName(document.paths)
  }
  return `${JSON.stringify(ordered, null, 2)}\n`
}

function byName(object: object): object {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The committed document. */
export function readOpenApi(): Promise<string> {
  return readFile(path, 'utf8')
}

if (import.meta.main) {
  const rendered = await renderOpenApi()
  if (!process.argv.includes('--check')) await writeFile(path, rendered)
  else if (rendered !== (await readOpenApi().catch(() => ''))) {
    console.error('openapi/openapi.json is not up to date: run "npm run openapi".')
    process.exitCode = 1
  }
}
