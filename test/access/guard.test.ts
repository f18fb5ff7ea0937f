// The guard over real HTTP: who has no valid key gets nothing, a revoked key stops working soon.

import t from 'tap'
import { isPublic } from '../../src/access/guard.ts'
import { newKey } from '../../src/access/keys.ts'
import { revokeApiKey } from '../../src/access/store.ts'
import { until } from '../helpers/until.ts'
import { setup } from '../setup.ts'

t.test('only probes and documentation are public', async (t) => {
  const all = ['/healthz', '/readyz', '/openapi.json', '/docs', '/docs/static/*', '/docs/errors']
  for (const path of all) t.ok(isPublic(path), path)
  for (const path of ['/imports', '/imports/:id', '/records', '/docsx', '/', '/healthz/x']) {
    t.notOk(isPublic(path), path)
  }
})

t.test('no key, a wrong one, or one in the wrong place is refused', async (t) => {
  const s = await setup(t)
  const refused: [string, string, Record<string, string>][] = [
    ['none', '/imports', {}],
    ['an unknown one', '/imports', { authorization: `Bearer ${newKey()}` }],
    ['another scheme', '/imports', { authorization: `Basic ${s.key}` }],
    ['in the address', `/imports?key=${s.key}`, {}],
    ['in another header', '/imports', { 'x-api-key': s.key }]
  ]
  for (const [title, path, headers] of refused) {
    const answer = await s.request('GET', path, { key: null, headers })
    t.equal(answer.status, 401, title)
    t.equal(answer.body.code, 'unauthorized', title)
    t.match(answer.headers.get('www-authenticate'), /^Bearer/, title)
  }
  t.equal((await s.get('/imports')).status, 200)
})

t.test('a revoked key stops working within seconds', async (t) => {
  const s = await setup(t)
  t.equal((await s.get('/imports')).status, 200)
  const { rows } = await s.pool.query('SELECT k.id FROM api_keys k')
  await revokeApiKey(s.pool, s.account_id, rows[0].id)
  const refused = async () => (await s.get('/imports')).status === 401
  t.ok(await until('the key is refused', refused, 5_000))
})
