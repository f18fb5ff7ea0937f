// `npm run demo -- --once` on the shipped sample: what it prints, and that a second run changes
// nothing.

import { createServer } from 'node:net'
import t from 'tap'
import { temporaryFolder } from './helpers/cluster.ts'
import { runProcess } from './helpers/processes.ts'

t.test(
  'imports the sample, tells every rejected row, and a second time changes nothing',
  async (t) => {
    const env = { MUSTER_DATA_DIR: await temporaryFolder(t), MUSTER_PORT: '0' }
    const first = await runProcess(t, 'scripts/demo.ts', ['--once'], env)
    t.equal(first.code, 0, first.stderr)
    t.match(first.stdout, /API key of the new account.*\n {2}mk_\S+\n/)
    t.match(first.stdout, / {2}created +381\n {2}updated +12\n {2}rejected +7\n/)
    t.match(first.stdout, /14 new organizations/)
    const rejected = first.stdout.match(/^ {2}line \d+ \(row \d+\).*$/gm) ?? []
    t.equal(rejected.length, 7)
    t.match(rejected[0], 'line 41 (row 38), emails: "silas.kemp(at)oakfieldcu.example.com"')

    const second = await runProcess(t, 'scripts/demo.ts', ['--once'], env)
    t.equal(second.code, 0, second.stderr)
    t.match(second.stdout, /\n {2}unchanged +393\n {2}rejected +7\n/)
    t.notMatch(second.stdout, /created|updated|mk_/)
  }
)

t.test('takes another port when its own is taken, and says so', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const env = { MUSTER_DATA_DIR: await temporaryFolder(t), MUSTER_PORT: String(port) }
  const { code, stdout } = await runProcess(t, 'scripts/demo.ts', ['--once'], env)
  t.equal(code, 0)
  t.match(stdout, new RegExp(`Port ${port} is taken: using another one`))
  t.match(stdout, /rejected +7/)
})
