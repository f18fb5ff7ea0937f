// `npm run demo`: everything that `npm start` starts, then a sample file over real HTTP, its progress
// and what became of its rows, and how to send the next one. Goes on serving; `--once` exits.

import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { runAllInOne } from '../src/all-in-one.ts'
import { createImport, getRows, type Server } from '../src/cli/client.ts'
import { followImport } from '../src/cli/follow.ts'
import { rowLines, summaryLines } from '../src/cli/print.ts'
import { createProgress } from '../src/cli/progress.ts'
import { type Config, readClientConfig, readConfig } from '../src/config.ts'
import { keyFilePath, readKeyFile } from '../src/key-file.ts'
import { createLog } from '../src/platform/log.ts'
import { startErrorText } from '../src/start-up.ts'

const sample = join(import.meta.dirname, '..', 'examples', 'contacts.csv')

async function main(once: boolean): Promise<void> {
  const config = await demoConfig()
  const log = createLog(config.logLevel, 'muster')
  console.log(`Starting Muster with its data in ${config.dataDir}`)
  const running = await runAllInOne(config, log)
  if (!running) return
  const { url, newKey, stop } = running
  console.log(`It is ready at ${url}`)
  if (newKey) {
    console.log(`\nAPI key of the new account, shown only this once (kept in ${keyFilePath(config.dataDir)}):
  ${newKey}`)
  }
  try {
    await importSample({ url, key: newKey ?? (await findKey(config)) })
  } catch (error) {
    await stop()
    throw error
  }
  if (once) await stop()
  else explainNext(url, config)
}

/** Quieter than the service, and on another port when ours is taken. */
async function demoConfig(): Promise<Config> {
  const config = readConfig({
    ...process.env,
    MUSTER_LOG_LEVEL: process.env.MUSTER_LOG_LEVEL || 'warn'
  })
  if (await isFree(config.host, config.port)) return config
  console.log(`Port ${config.port} is taken: using another one. (MUSTER_PORT chooses.)`)
  return { ...config, port: 0 }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}

async function findKey(config: Config): Promise<string> {
  const key = readClientConfig().apiKey ?? (await readKeyFile(config.dataDir))
  if (key !== null) return key
  throw new Error(
    `the database has an account already, but ${keyFilePath(config.dataDir)} is missing. Set MUSTER_API_KEY to a key of it; \`npx muster keys create --name demo\` makes one.`
  )
}

async function importSample(server: Server): Promise<void> {
  console.log(`\nSending ${relative('.', sample)} to POST ${server.url}/imports`)
  const accepted = await createImport(server, sample, {
    type: 'contacts',
    // Some rows of the sample bring news of people further up.
    repeats: 'merge'
  })
  const progress = createProgress(process.stderr)
  const job = await followImport(server, accepted.id, progress.show).finally(progress.end)
  console.log(`\n${summaryLines(job).join('\n')}`)
  if (job.counts.rejected > 0) {
    const rejected = await getRows(server, job.id, 'rejected', 100)
    console.log(`\nRejected rows:\n${rejected.flatMap(rowLines).join('\n')}`)
  }
  if (job.state === 'failed') throw new Error(`the import of the sample failed: ${job.error?.code}`)
}

function explainNext(url: string, config: Config): void {
  const keyFile = relative('.', keyFilePath(config.dataDir))
  console.log(`
Send the next file (from another terminal, in this folder):
  curl -F file=@examples/contacts.csv -F type=contacts -H "Authorization: Bearer $(cat ${keyFile})" ${url}/imports
or
  npx muster import examples/contacts.csv --type contacts --wait --server ${url}

The API's reference is at ${url}/docs
Muster goes on serving; Ctrl-C stops it.`)
}

await main(process.argv.includes('--once')).catch((error: unknown) => {
  console.error(startErrorText(error))
  process.exit(1)
})
