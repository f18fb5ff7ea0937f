// Every failure leaves as a problem document: known ones with their code, unknown ones without a
// word about their cause.

import { connect } from 'node:net'
import t from 'tap'
import { appError } from '../../src/errors.ts'
import { problemDocument } from '../../src/platform/http.ts'
import { parseQuery } from '../../src/platform/query.ts'
import { setup } from '../setup.ts'

t.test('a problem document names its code, its explanation and the request', async (t) => {
  const error = appError('import_not_found', { id: 7 }, { details: { hint: 1 } })
  t.same(problemDocument(error, 'request-1'), {
    type: '/docs/errors#import_not_found',
    title: 'Import not found',
    status: 404,
    detail: 'There is no import 7 in this account.',
    code: 'import_not_found',
    instance: 'request-1',
    details: { hint: 1 }
  })
})

t.test(
  'a path that is not there is 404, a method it does not have is 405 with Allow',
  async (t) => {
    const s = await setup(t)
    const cases: [string, string, number, string | null][] = [
      ['GET', '/nothing', 404, null],
      ['GET', '/imports/1/nothing', 404, null],
      ['DELETE', '/imports', 405, 'GET, HEAD, POST'],
      ['PUT', '/imports/1', 405, 'GET, HEAD, PATCH'],
      ['GET', '/imports/1/start', 405, 'POST'],
      ['OPTIONS', '/records', 405, 'GET, HEAD'],
      ['POST', '/docs/static/swagger-ui.css', 405, 'GET, HEAD']
    ]
    for (const [method, path, status, allow] of cases) {
      const { headers, ...answer } = await s.request(method, path)
      const code = status === 404 ? 'not_found' : 'method_not_allowed'
      t.match(answer, { status, body: { code, status } }, `${method} ${path}`)
      t.match(headers.get('content-type'), /^application\/problem\+json/)
      t.equal(headers.get('allow'), allow)
    }
  }
)

t.test('broken requests are 400, also where no route is reached', async (t) => {
  const s = await setup(t)
  const { body } = await s.uploadCsv('Organization,First Name\nAcme,Ann\n', { start: false })
  const path = `/imports/${body.id}`
  const json = { 'content-type': 'application/json' }
  const cases: [string, string, object, number, string][] = [
    ['GET', '/imports/%zz', {}, 400, 'validation_failed'],
    ['GET', '/imports?q=%00', {}, 400, 'validation_failed'],
    ['GET', '/records?type=contacts&filter[title]=a%00b', {}, 400, 'validation_failed'],
    ['GET', '/imports?created_after=0000-01-01T00:00:00Z', {}, 400, 'validation_failed'],
    ['GET', '/imports/', {}, 400, 'validation_failed'],
    ['GET', `/imports/${'1'.repeat(300)}`, {}, 400, 'validation_failed'],
    ['PATCH', path, { headers: json, body: '{"mode":' }, 400, 'validation_failed'],
    ['PATCH', path, { headers: json, body: '' }, 400, 'validation_failed'],
    ['PATCH', path, { headers: json, body: '[]' }, 400, 'validation_failed'],
    ['PATCH', path, { headers: json, body: '{"__proto__":{"x":1}}' }, 400, 'validation_failed'],
    [
      'PATCH',
      path,
      { headers: { 'content-type': 'text/plain' }, body: 'x' },
      415,
      'unsupported_media_type'
    ],
    [
      'PATCH',
      path,
      { headers: json, body: JSON.stringify({ mapping: { a: 'x'.repeat(2e6) } }) },
      413,
      'body_too_large'
    ]
  ]
  for (const [method, address, options, status, code] of cases) {
    const answer = await s.request(method, address, options)
    const title = `${method} ${address.slice(0, 60)}`
    t.match(answer, { status, body: { code, status } }, `${title}: ${JSON.stringify(answer.body)}`)
    t.match(answer.headers.get('content-type'), /^application\/problem\+json/, title)
  }
})

t.test('what is not even HTTP gets a problem document and a closed connection', async (t) => {
  const s = await setup(t)
  const { hostname, port } = new URL(s.url)
  const socket = connect(Number(port), hostname)
  socket.end('NONSENSE\r\n\r\n')
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  t.match(text, /^HTTP\/1\.1 400 /)
  t.match(text, /content-type: application\/problem\+json/i)
  t.equal(JSON.parse(text.split('\r\n\r\n')[1] ?? '').code, 'validation_failed')
})

t.test('a failure nobody foresaw is 500 without a word about its cause', async (t) => {
  const s = await setup(t)
  await s.pool.query('ALTER TABLE imports RENAME TO secret_name')
  const { status, body } = await s.get('/imports')
  t.equal(status, 500)
  t.match(body, { code: 'internal_error', detail: new RegExp(body.instance) })
  t.notMatch(JSON.stringify(body), /secret_name|relation|imports i|42P01/)
})

t.test('a database that goes away is 503, and its return is noticed', async (t) => {
  const s = await setup(t)
  const { connect: real } = s.pool
  const { query } = s.pool
  const away = async () => {
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  }
  Object.assign(s.pool, { query: away, connect: away })
  const { status, body, headers } = await s.get('/imports')
  t.equal(status, 503)
  t.equal(body.code, 'database_unavailable')
  t.ok(headers.get('retry-after'))
  t.match(await s.get('/readyz'), {
    status: 503,
    body: { checks: { database: 'failed', uploads: 'ok' } }
  })
  t.equal((await s.get('/healthz')).status, 200, 'the process itself lives')
  Object.assign(s.pool, { query, connect: real })
  t.equal((await s.get('/imports')).status, 200)
  t.match(await s.get('/readyz'), { status: 200, body: { status: 'ok' } })
})

t.test('a question that takes the database too long is 503 with its own code', async (t) => {
  const s = await setup(t)
  const { query } = s.pool
  s.pool.query = (async () => {
    throw Object.assign(new Error('canceling statement due to statement timeout'), {
      code: '57014'
    })
  }) as typeof query
  const { status, body } = await s.get('/records?type=contacts')
  s.pool.query = query
  t.equal(status, 503)
  t.equal(body.code, 'query_timeout')
})

t.test('a query string makes plain objects, whatever its keys are', async (t) => {
  const query = parseQuery('a=1&filter[x]=2&filter[y]=3&__proto__[z]=4&b=1&b=2&c%5Bd%5D=5&e[]=6')
  t.same(JSON.parse(JSON.stringify(query)), {
    a: '1',
    filter: { x: '2', y: '3' },
    ['__proto__']: { z: '4' },
    b: ['1', '2'],
    c: { d: '5' },
    'e[]': '6'
  })
  t.equal(({} as { z?: string }).z, undefined)
  t.same(parseQuery('filter=1&filter[x]=2'), { filter: '1' }, 'a value is not made an object')
})
