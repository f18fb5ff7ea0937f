// A key that is not the one its id stood for is refused before it reads or writes anything.

import { createSecretKey, randomBytes } from 'node:crypto'
import t from 'tap'
import { secretKeysText } from '../../src/config.ts'
import { checkKeys, registerKeys } from '../../src/platform/known-keys.ts'
import { makeSecrets } from '../../src/platform/secrets.ts'
import { openServices } from '../../src/start-up.ts'
import { runProcess } from '../helpers/processes.ts'
import { setup } from '../setup.ts'

const keyOf = (id: string) => ({ id, key: createSecretKey(randomBytes(32)) })

t.test('another key under a known id starts nothing', async (t) => {
  const right = keyOf('2026')
  const wrong = { ...keyOf('2026') }
  const fresh = keyOf('2027')
  const s = await setup(t, { config: { secretKeys: [right] } })
  const { rows } = await s.pool.query('SELECT k.key_id FROM secret_keys k')
  t.same(rows, [{ key_id: '2026' }], 'a start remembers its keys')

  const { databaseUrl, log } = s
  for (const keys of [[wrong], [fresh, wrong]]) {
    const config = { ...s.config, secretKeys: keys }
    await t.rejects(openServices({ role: 'worker', databaseUrl, config, log }), {
      message: /secret key 2026 is not the one that this installation knows/
    })
  }
  await t.rejects(checkKeys(s.pool, makeSecrets([wrong])))
  for (const command of ['status', 'rotate']) {
    const { code, stderr } = await runProcess(t, 'src/cli.ts', ['secrets', command], {
      DATABASE_URL: databaseUrl,
      MUSTER_DATA_DIR: s.config.dataDir,
      MUSTER_SECRET_KEYS: secretKeysText([wrong])
    })
    t.equal(code, 2, command)
    t.match(stderr, /2026 is not the one/, command)
  }

  await registerKeys(s.pool, makeSecrets([fresh, right]))
  await registerKeys(s.pool, makeSecrets([right]))
  const { rows: known } = await s.pool.query('SELECT k.* FROM secret_keys k ORDER BY k.key_id')
  t.match(known, [{ key_id: '2026' }, { key_id: '2027' }])
  t.match(known[0].check_value, /^[0-9a-f]{32}$/)
})
