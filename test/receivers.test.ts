// The receivers of docs/guides/webhooks.md, run as they are on the page, where their language is
// installed: genuine deliveries are taken once, all others refused.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { buildRequest } from '../src/notify/send/envelopes.ts'
import { makeWebhookSecret } from '../src/platform/webhook-signature.ts'
import { type Teardown, temporaryFolder } from './helpers/cluster.ts'
import { readBlocks } from './helpers/doc-blocks.ts'
import { importEvent, recordEvent, sampleDelivery } from './helpers/sample-events.ts'
import { until } from './helpers/until.ts'

const page = await readFile(join(import.meta.dirname, '../docs/guides/webhooks.md'), 'utf8')

const languages = [
  { language: 'js', file: 'receiver.mjs', command: [process.execPath] },
  { language: 'python', file: 'receiver.py', command: ['python3'] },
  { language: 'php', file: 'receiver.php', command: ['php'] }
]

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Runs a program; out: its address, and what it has printed so far. */
async function startProgram(t: Teardown, language: string, file: string, command: string[]) {
  const folder = await temporaryFolder(t)
  const [block, ...more] = readBlocks(page).filter((one) => one.language === language)
  if (!block || more.length > 0) throw new Error(`the page has not one block of ${language}`)
  const path = join(folder, file)
  await writeFile(path, block.text)
  const port = await freePort()
  const secret = makeWebhookSecret()
  const [program = '', ...args] = command
  const server = language === 'php' ? ['-S', `127.0.0.1:${port}`] : []
  const { PATH = '', HOME = '/' } = process.env
  const env = { PATH, HOME, TMPDIR: folder, WEBHOOK_SECRET: secret, PORT: String(port) }
  const child = spawn(program, [...args, ...server, path], { env, cwd: folder })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  t.teardown(() => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}/`
  await until(`${file} to listen`, async () => {
    if (child.exitCode !== null) throw new Error(`${file} ended:\n${printed}`)
    return fetch(url).catch(() => null)
  })
  return { url, secret, printed: () => printed }
}

for (const { language, file, command } of languages) {
  const [program = ''] = command
  const isThere = spawnSync(program, ['--version']).status === 0
  const skip = isThere ? false : `${program} is not installed`
  t.test(`the receiver in ${language} takes what is genuine, once`, { skip }, async (t) => {
    const { url, secret, printed } = await startProgram(t, language, file, command)
    const build = (event = importEvent, secrets: [string, ...string[]] = [secret], ms = 0) => {
      const attemptAt = new Date(Date.now() + ms)
      const endpoint = { id: 3, secrets, headers: {} }
      return buildRequest('standard', sampleDelivery(event, { attemptAt, endpoint }))
    }
    const post = async (request: ReturnType<typeof build>) =>
      (await fetch(url, { method: 'POST', ...request })).status
    t.equal(await post(build()), 204)
    t.equal(await post(build()), 204, 'a second time')
    t.equal(await post(build(recordEvent, [makeWebhookSecret(), secret])), 204, 'two signatures')
    const other = build({ ...importEvent, id: 'evt_other' })
    t.equal(await post(build(importEvent, [makeWebhookSecret()])), 401, 'another secret')
    t.equal(await post({ ...other, body: other.body.replace('"id":7', '"id":8') }), 401)
    for (const ms of [-400_000, 400_000]) t.equal(await post(build(importEvent, [secret], ms)), 401)
    for (const [name, value] of [
      ['webhook-id', 'evt_x'],
      ['webhook-timestamp', '1'],
      ['webhook-timestamp', 'now'],
      ['webhook-timestamp', ''],
      ['webhook-signature', 'v1,AAAA'],
      ['webhook-signature', '']
    ] as const) {
      t.equal(await post({ ...other, headers: { ...other.headers, [name]: value } }), 401, name)
    }
    t.equal((await fetch(url, { method: 'POST', body: other.body })).status, 401, 'no headers')
    await until('the receiver to print', () => /record\.updated 1/.test(printed()) || null)
    t.equal(printed().match(/import\.completed completed_with_errors/g)?.length, 1)
  })
}
