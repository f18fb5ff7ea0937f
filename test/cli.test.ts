// The command line as a real process against a real server: what it prints and its exit codes.

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { writeKeyFile } from '../src/key-file.ts'
import { createClient } from './helpers/client.ts'
import { type Teardown, temporaryFolder } from './helpers/cluster.ts'
import { runProcess } from './helpers/processes.ts'
import { setup } from './setup.ts'

const good = 'organization,first_name,emails\nAcme,Ann,ann@example.com\n'
const mixed = `${good}Acme,,nobody@example.com\nAcme,Bob,not an address\n`

/** A server with a worker, a folder for files, and the command line pointed at both. */
async function setupCli(t: Teardown) {
  const service = await setup(t, { worker: true })
  const folder = await temporaryFolder(t)
  const env = { MUSTER_URL: service.url, MUSTER_API_KEY: service.key, MUSTER_DATA_DIR: folder }
  return {
    ...service,
    folder,
    run: (args: string[], more: Record<string, string> = {}) =>
      runProcess(t, 'src/cli.ts', args, { ...env, ...more }),
    async file(name: string, text: string) {
      await writeFile(join(folder, name), text)
      return join(folder, name)
    }
  }
}

/** A port of this machine on which nothing listens (any more). */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

t.test('import exits with 0 when every row is well, and prints the counts', async (t) => {
  const { run, file } = await setupCli(t)
  const { code, stdout, stderr } = await run([
    'import',
    await file('people.csv', good),
    '--type',
    'contacts',
    '--wait'
  ])
  t.equal(code, 0)
  t.match(stdout, /Import 1 of people.csv \(contacts\): completed\n {2}created +1\n/)
  t.match(stdout, /1 new organizations/)
  t.match(stderr, /import 1: completed\n/, 'progress is a line for each state on no terminal')
})

t.test('import exits with 1 when rows were rejected, and says how to get them', async (t) => {
  const { run, file } = await setupCli(t)
  const path = await file('people.csv', mixed)
  const { code, stdout } = await run(['import', path, '--type', 'contacts', '--wait'])
  t.equal(code, 1)
  t.match(stdout, /completed with errors\n {2}created +1\n {2}rejected +2\n/)
  t.match(stdout, /muster rejects 1 > rejects.csv/)

  const rejects = await run(['rejects', '1'])
  t.equal(rejects.code, 0)
  t.match(
    rejects.stdout,
    /^organization,first_name,emails,.*\r\nAcme,,nobody@example.com,.*\r\nAcme,Bob,/
  )
  const rows = await run(['rows', '1', '--outcome', 'rejected'])
  t.same(
    rows.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).line),
    [3, 4]
  )
  t.equal((await run(['show', '1'])).code, 1)
})

t.test('import --json prints the import as one JSON object', async (t) => {
  const { run, file } = await setupCli(t)
  const path = await file('people.csv', mixed)
  const { code, stdout } = await run(['import', path, '--type', 'contacts', '--wait', '--json'])
  t.equal(code, 1)
  t.match(JSON.parse(stdout), {
    id: 1,
    state: 'completed_with_errors',
    file: { name: 'people.csv' },
    counts: { created: 1, rejected: 2 }
  })
})

t.test('import --dry-run shows what would happen, and apply does it', async (t) => {
  const { run, file, get } = await setupCli(t)
  const path = await file('people.csv', good)
  const dry = await run(['import', path, '--type', 'contacts', '--dry-run'])
  t.equal(dry.code, 0)
  t.match(dry.stdout, /\(contacts\): dry run, ready\n {2}created +1\n/)
  t.match(dry.stdout, /muster apply 1\n/)
  t.equal((await get('/records?type=contacts')).body.data.length, 0)
  const { code, stdout } = await run(['apply', '1', '--wait', '--no-allow-partial'])
  t.equal(code, 0)
  t.match(stdout, /Import 2 of people.csv \(contacts\): completed\n {2}created +1\n/)
  const again = await run(['apply', '1'])
  t.equal(again.code, 2)
  t.match(again.stderr, /applied already, by import 2/)
})

t.test('undo takes an import back, and says what was kept and why', async (t) => {
  const { run, runCsv } = await setupCli(t)
  const { id } = await runCsv(good, { name: 'people.csv' })
  await runCsv('organization,first_name\nAcme,Bob\n', { name: 'later.csv' })
  const tried = await run(['undo', String(id), '--dry-run'])
  t.match(tried.stdout, /^Dry run of undo 3 of import 1 \(contacts\): completed with errors\n/)
  const { code, stdout } = await run(['undo', String(id)])
  t.equal(code, 1)
  t.match(stdout, /Undo 4 of import 1 .*\n {2}reverted +1\n {2}kept +1\n/)
  t.match(
    stdout,
    /referred_to: 1\n {4}organizations \d+ Acme: 1 record\(s\) refer to it.*later.csv/
  )
  const again = await run(['undo', String(id)])
  t.match(again, { code: 1, stdout: /kept +1\n/ })
  const redo = await run(['undo', '4', '--json'])
  t.match([redo.code, JSON.parse(redo.stdout).state], [0, 'completed'])
  t.match(await run(['undo', '99']), { code: 2, stderr: /import_not_found/ })
})

t.test('import without --wait returns at once', async (t) => {
  const { run, file } = await setupCli(t)
  const path = await file('people.csv', mixed)
  const { code, stdout } = await run(['import', path, '--type', 'contacts'])
  t.equal(code, 0)
  t.match(stdout, /Import 1 of people.csv: \w+\n.*muster show 1/)
})

t.test('import hands its options on', async (t) => {
  const { run, file, request } = await setupCli(t)
  const mapping = await file('mapping.json', '{"Firma":"organization","Wer":"first_name","X":null}')
  const path = await file('leute.csv', 'Firma;Wer;X\nAcme;Ann;1\n')
  const options = ['--type', 'contacts', '--mode', 'create_only', '--no-allow-partial', '--draft']
  const country = ['--default-country', 'at', '--clear-marker', 'none', '--require-external-id']
  const policies = ['--blank', 'overwrite', '--repeats', 'merge', '--similar', 'error', ...country]
  const fields = ['--update', '{"tags":"append"}', '--on-missing', '{"organization":"fail"}']
  const read = ['--delimiter', ';', '--encoding', 'latin1', '--separators', '{"tags":";"}']
  const more = ['--mapping', `@${mapping}`, ...policies, ...fields, ...read, '--json']
  const { code, stdout } = await run(['import', path, ...options, ...more])
  t.equal(code, 0)
  const job = JSON.parse(stdout)
  t.match(job, {
    state: 'draft',
    mode: 'create_only',
    allow_partial: false,
    options: {
      blank: 'overwrite',
      clear_marker: null,
      repeats: 'merge',
      similar: 'error',
      update: { tags: 'append' },
      separators: { tags: ';' },
      on_missing: { organization: 'fail' },
      default_country: 'AT',
      require_external_id: true
    },
    columns: [{ field: 'organization' }, { field: 'first_name' }, { field: null }]
  })
  t.equal((await request('POST', `/imports/${job.id}/start`)).status, 202)
})

t.test('one organization for the whole file is given by name', async (t) => {
  const { run, file, runCsv } = await setupCli(t)
  await runCsv(good)
  const path = await file('people.csv', 'first_name\nBob\n')
  const { code, stdout } = await run([
    'import',
    path,
    '--type',
    'contacts',
    '--organization',
    'Acme',
    '--wait',
    '--json'
  ])
  t.equal(code, 0, stdout)
  t.match(JSON.parse(stdout), { organization: { title: 'Acme' }, counts: { created: 1 } })
})

t.test('import exits with 2 when the server refuses it, and hands its reason on', async (t) => {
  const { run, file } = await setupCli(t)
  const path = await file('people.csv', good)
  const unknown = await run(['import', path, '--type', 'peoples', '--json'])
  t.equal(unknown.code, 2)
  t.match(unknown.stderr, /There is no record type "peoples".*\(unknown_record_type\)/)
  t.match(JSON.parse(unknown.stdout), { error: { code: 'unknown_record_type', status: 422 } })
  const key = await run(['import', path, '--type', 'contacts', '--key', 'mk_wrong'])
  t.equal(key.code, 2)
  t.match(key.stderr, /\(unauthorized\)/)
  t.notMatch(key.stderr, /mk_wrong/)
})

t.test('import takes the name of a profile', async (t) => {
  const { run, file, request } = await setupCli(t)
  const mapping = { Firma: 'organization', Wer: 'first_name' }
  const body = { name: 'leute', type: 'contacts', mapping }
  t.equal((await request('POST', '/import-profiles', { body })).status, 201)
  const path = await file('leute.csv', 'Firma;Wer\nAcme;Ann\n')
  const { code, stdout } = await run(['import', path, '--profile', 'leute', '--wait', '--json'])
  t.equal(code, 0, stdout)
  t.match(JSON.parse(stdout), { profile: 'leute', type: 'contacts', counts: { created: 1 } })
})

t.test('with --json the reason is JSON also when no server was asked', async (t) => {
  const { run } = await setupCli(t)
  const { code, stdout, stderr } = await run(['import', 'none.csv', '--json'])
  t.equal(code, 2)
  t.match(JSON.parse(stdout), { error: { detail: /ENOENT/ } })
  t.match(stderr, /ENOENT/)
})

t.test('import exits with 2 when there is no such file, command or option', async (t) => {
  const { run, folder } = await setupCli(t)
  const cases: [string[], RegExp][] = [
    [['import', join(folder, 'none.csv')], /Cannot read .*none.csv.*ENOENT/],
    [['import', folder], /Cannot read .*it is not a file/],
    [['import'], /missing required argument 'file'/],
    [['import', 'a.csv', '--speed', '9'], /unknown option '--speed'/],
    [['show', 'first'], /"first" is not an id/],
    [['fly'], /unknown command 'fly'/]
  ]
  for (const [args, message] of cases) {
    const { code, stderr } = await run(args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, message)
  }
})

t.test('says how to start a server when none answers', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'a.csv'), good)
  const url = `http://127.0.0.1:${await closedPort()}`
  const env = { MUSTER_URL: url, MUSTER_API_KEY: 'mk_x' }
  const { code, stderr } = await runProcess(t, 'src/cli.ts', ['import', join(folder, 'a.csv')], env)
  t.equal(code, 2)
  t.match(stderr, `No Muster answers at ${url} (ECONNREFUSED)`)
  t.match(stderr, /npx muster serve/)
})

t.test('finds the key that a server on this machine left, for this machine only', async (t) => {
  const { run, key, folder } = await setupCli(t)
  const without = await run(['show', '7'], { MUSTER_API_KEY: '' })
  t.match(without, { code: 2, stderr: /An API key is needed/ })
  await writeKeyFile(folder, key)
  const found = await run(['show', '7'], { MUSTER_API_KEY: '' })
  t.match(found, { code: 2, stderr: /import_not_found/ }, 'the key was good')
  const elsewhere = await run(['show', '7'], {
    MUSTER_API_KEY: '',
    MUSTER_URL: 'http://muster.example.com'
  })
  t.match(elsewhere, { code: 2, stderr: /An API key is needed/ })
})

t.test('runs through the bin file and tells its version', async (t) => {
  const { code, stdout } = await runProcess(t, 'bin/muster.js', ['--version'])
  t.equal(code, 0)
  t.match(stdout, /^\d+\.\d+\.\d+/)
})

t.test('migrate brings the database up to date', async (t) => {
  const { databaseUrl } = await setup(t)
  const { code, stdout } = await runProcess(t, 'src/cli.ts', ['migrate'], {
    DATABASE_URL: databaseUrl
  })
  t.equal(code, 0)
  t.match(stdout, /The database is up to date/)
})

t.test('keys are made, listed and revoked', async (t) => {
  const { databaseUrl, account_id, makeAccount, url } = await setup(t)
  const keys = (...args: string[]) =>
    runProcess(t, 'src/cli.ts', ['keys', ...args], { DATABASE_URL: databaseUrl })
  const made = await keys('create', '--name', 'nightly')
  t.match(made, { code: 0, stdout: /^mk_[\w-]{43}\n$/, stderr: '' }, 'the key and nothing else')
  const { get } = createClient(url, made.stdout.trim())
  t.equal((await get('/imports')).status, 200)

  const id = /^ +(\d+) {2}nightly {2}\(made \d{4}-\S+\)$/m.exec((await keys('list')).stdout)?.[1]
  t.equal((await keys('revoke', String(id))).code, 0)
  t.match((await keys('list')).stdout, /nightly {2}\(made \S+, revoked \d{4}-/)
  const again = await keys('revoke', String(id))
  t.match(again, { code: 2, stderr: `There is no key ${id} in use in this account.` })

  const { account_id: other } = await makeAccount('other')
  const unclear = await keys('create', '--name', 'nightly')
  t.match(unclear, {
    code: 2,
    stdout: '',
    stderr: `There are: ${account_id} (test), ${other} (other).`
  })
  t.equal((await keys('create', '--name', 'nightly', '--account', String(other))).code, 0)
})

t.test('imports are paused, resumed, cancelled and retried', async (t) => {
  const service = await setup(t)
  const env = { MUSTER_URL: service.url, MUSTER_API_KEY: service.key }
  const run = (args: string[]) => runProcess(t, 'src/cli.ts', args, env)
  const { body } = await service.uploadCsv(good)
  const states = { pause: 'paused', resume: 'queued', cancel: 'cancelled', retry: 'queued' }
  for (const [verb, state] of Object.entries(states)) {
    const { code, stdout } = await run([verb, String(body.id)])
    t.equal(code, 0, verb)
    t.match(stdout, `Import ${body.id} of test.csv (contacts): ${state}\n`)
  }
  const again = await run(['retry', String(body.id), '--json'])
  t.equal(again.code, 2)
  t.match(JSON.parse(again.stdout), { error: { code: 'import_state_conflict' } })
})

t.test('import sends its file again when the answer is lost, and one import is made', async (t) => {
  const service = await setup(t)
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'people.csv'), good)
  // Stands in front of the server, and breaks the first connection when its answer begins.
  let connections = 0
  const front = createServer((client) => {
    const isFirst = ++connections === 1
    const behind = connect(Number(new URL(service.url).port), '127.0.0.1')
    client.pipe(behind)
    behind.on('data', (bytes) => {
      if (isFirst) client.destroy()
      else client.write(bytes)
    })
    behind.on('close', () => client.destroy())
    for (const socket of [client, behind]) socket.on('error', () => socket.destroy())
    client.on('close', () => behind.destroy())
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  t.teardown(() => front.close())
  const MUSTER_URL = `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  const args = ['import', join(folder, 'people.csv'), '--type', 'contacts']
  const { code, stdout } = await runProcess(t, 'src/cli.ts', args, {
    MUSTER_URL,
    MUSTER_API_KEY: service.key
  })
  t.equal(code, 0)
  t.match(stdout, /Import 1 of people.csv: queued/)
  t.ok(connections > 1)
  t.equal((await service.get('/imports')).body.data.length, 1)
})
