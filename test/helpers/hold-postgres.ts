// A process that starts the embedded server of a folder, prints where it is, and holds it: the
// tests kill it in various ways. Started by platform/embedded-postgres.test.ts.

import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts'
import { createLog } from '../../src/platform/log.ts'

const dataDir = process.argv[2]
if (dataDir === undefined) throw new Error('usage: hold-postgres.ts <data folder>')

const server = await startEmbeddedPostgres({ dataDir, log: createLog('silent', 'hold') })
console.log(JSON.stringify({ pid: server.pid(), connectionString: server.connectionString }))
