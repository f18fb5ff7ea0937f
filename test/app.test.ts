// The whole service: accounts are kept apart on every route, the API is fully described, and the
// pages it serves load nothing from elsewhere.

import t from 'tap'
import { readOpenApi, renderOpenApi } from '../scripts/write-openapi.ts'
import { isPublic } from '../src/access/guard.ts'
import { type Setup, setup } from './setup.ts'

// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document has every shape
type Json = any

interface Route {
  method: string
  path: string
  operation: Json
}

/** Every documented route. Undocumented ones are pages under /docs. */
function routesOf(document: Json): Route[] {
  return Object.entries(document.paths as Record<string, Json>).flatMap(([path, operations]) =>
    Object.entries(operations as Record<string, Json>).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation
    }))
  )
}

const document: Json = JSON.parse(await renderOpenApi())
const routes = routesOf(document)

t.test('openapi/openapi.json is what the routes say; npm run openapi writes it', async (t) => {
  t.same(JSON.parse(await readOpenApi()), document)
  t.equal(await readOpenApi(), await renderOpenApi(), 'in the same order')
})

t.test('every route but the public ones needs a key', async (t) => {
  const s = await setup(t)
  for (const { method, path } of routes) {
    const answer = await s.request(
      method,
      path.replace(/\{(delivery_)?id\}/g, '1').replace('{name}', 'contacts'),
      { key: null }
    )
    const wanted = isPublic(path) ? 200 : 401
    t.equal(answer.status, wanted, `${method} ${path}`)
  }
})

/** Everything of an account that has an id: a draft, a finished import, a record. */
async function belongings(s: Setup, key: string) {
  const csv = 'Organization,First Name\nAcme,Ann\n'
  const draft = await s.uploadCsv(csv, { key, start: false })
  const done = await s.uploadCsv(csv, { key })
  await s.pool.query(`UPDATE imports i SET state = 'running' WHERE i.id = $1::bigint`, [
    done.body.id
  ])
  const { rows } = await s.pool.query(
    `INSERT INTO records (account_id, type_id, id, data)
    SELECT k.account_id, 1, nextval('record_ids'), '{"name":"Acme"}'
    FROM api_keys k
    ORDER BY k.id DESC LIMIT 1
    RETURNING id`
  )
  const url = 'https://acme.example.com'
  const webhook = await s.request('POST', '/webhooks', { key, body: { url } })
  const { id } = webhook.body
  return { imports: [draft.body.id, done.body.id], records: [rows[0].id], webhooks: [id] }
}

/** What routes with an id take, by the end of method and path. */
const bodies: [string, object][] = [
  ['/push', { what: 'all' }],
  ['PUT /records/{id}/links/{system}', { state: 'pending' }],
  ['PATCH /imports/{id}', { mode: 'create_only' }],
  ['PATCH /webhooks/{id}', { description: 'mine' }],
  ['/records/{id}/restore', { version: 1 }],
  ['/webhooks/{id}/redeliver', { since: '2026-01-01T00:00:00Z' }]
]

async function everything(s: Setup) {
  const { rows } = await s.pool.query(
    `SELECT (SELECT json_agg(i ORDER BY i.id) FROM imports i)::text AS imports,
      (SELECT json_agg(r ORDER BY r.id) FROM records r)::text AS records,
      (SELECT json_agg(w ORDER BY w.id) FROM webhook_endpoints w)::text AS webhooks`
  )
  return rows[0]
}

t.test('an account never sees or changes what belongs to another, on any route', async (t) => {
  const s = await setup(t)
  const other = await s.makeAccount('other')
  const theirs = await belongings(s, other.key)
  const before = await everything(s)
  const withId = routes.filter(({ path }) => path.includes('{id}'))
  t.ok(withId.length >= 7)
  for (const { method, path } of withId) {
    const kind = path.split('/')[1] as keyof typeof theirs
    for (const id of theirs[kind]) {
      const content = bodies.find(([end]) => `${method} ${path}`.endsWith(end))
      const body = content ? { body: content[1] } : {}
      const mine = await s.request(
        method,
        path.replace('{id}', id).replace('{delivery_id}', '1').replace('{system}', 'psa'),
        body
      )
      t.equal(mine.status, 404, `${method} ${path} with the id of another account`)
      t.notMatch(JSON.stringify(mine.body), /Acme/)
      const own = await s.request('GET', path.replace(/\{id\}.*/, id), { key: other.key })
      t.equal(own.status, 200, 'which its owner can read')
    }
  }
  for (const path of ['/imports', '/records?type=organizations', '/webhooks', '/events']) {
    t.same((await s.get(path)).body.data, [], `${path} of an account that has nothing`)
  }
  t.same(await everything(s), before, 'nothing was changed')
})

t.test('every route says what it does, needs and may answer', async (t) => {
  const ids = routes.map(({ operation }) => operation.operationId)
  t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
  const tags = new Set(document.tags.map((tag: { name: string }) => tag.name))
  for (const { method, path, operation } of routes) {
    const title = `${method} ${path}`
    t.match(operation, { operationId: /^[a-z]+[A-Za-z]+$/, summary: /./, description: /./ }, title)
    t.equal(operation.tags?.length, 1, title)
    t.ok(tags.has(operation.tags[0]), `${title}: its tag is described`)
    t.equal(operation.security?.length === 0, isPublic(path), `${title}: a key`)
    for (const [status, answer] of Object.entries(operation.responses as Record<string, Json>)) {
      t.match(answer.description, /./, `${title} ${status}`)
      t.not(answer.description, 'Default Response', `${title} ${status}`)
      const types = Object.keys(answer.content ?? {})
      const isProblem = types.includes('application/problem+json')
      t.ok(isProblem || Number(status) < 300 || path === '/readyz', `${title} ${status}: a problem`)
    }
    if (isPublic(path)) continue
    for (const status of ['400', '401', '500', '503'])
      t.ok(operation.responses[status], `${title} ${status}`)
  }
})

/** Paths of all schemas without a description; a reference is described where it points to. */
function undescribed(schema: Json, path: string, isProperty = false): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  if (Array.isArray(schema)) return schema.flatMap((one, i) => undescribed(one, `${path}[${i}]`))
  const { properties = {}, items, anyOf, oneOf, additionalProperties, $ref } = schema
  return [
    ...(isProperty && !$ref && !schema.description ? [path] : []),
    ...Object.entries(properties).flatMap(([name, one]) =>
      undescribed(one, `${path}.${name}`, true)
    ),
    ...[items, anyOf, oneOf, additionalProperties].flatMap((one) => undescribed(one, path))
  ]
}

t.test('every property and parameter has a description', async (t) => {
  const schemas = Object.entries(document.components.schemas as Record<string, Json>)
  for (const [name, schema] of schemas) {
    t.match(schema.description, /./, name)
    t.same(undescribed(schema, name), [], name)
  }
  for (const { path, operation } of routes) {
    for (const parameter of operation.parameters ?? []) {
      t.match(parameter.description, /./, `${path} ${parameter.name}`)
    }
    const bodies = Object.values((operation.requestBody?.content ?? {}) as Record<string, Json>)
    for (const { schema } of bodies) t.same(undescribed(schema, `${path} body`), [])
  }
})

t.test(
  'the document and the reference page are served without a key, from here alone',
  async (t) => {
    const s = await setup(t)
    const page = async (path: string) => {
      const response = await fetch(new URL(path, s.url))
      return { response, text: await response.text() }
    }
    const openapi = await page('/openapi.json')
    t.equal(JSON.parse(openapi.text).openapi, '3.1.0')
    const docs = await page('/docs')
    t.equal(docs.response.status, 200)
    t.notMatch(
      docs.text,
      /<script>|<style>| on\w+=|https?:\/\//,
      'nothing inline, nothing from elsewhere'
    )
    const policy = docs.response.headers.get('content-security-policy') ?? ''
    t.match(policy, /default-src 'none'; script-src 'self';/)
    const assets = [...docs.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    t.ok(assets.length >= 5)
    for (const asset of assets) t.equal((await page(asset)).response.status, 200, asset)
    t.equal((await page('/docs/json')).response.status, 200, 'what the page reads')
    t.notMatch((await page('/docs/static/swagger-initializer.js')).text, /validator\.swagger\.io/)

    const states = await page('/docs/states')
    for (const id of ['partially_undone', 'paused-queued']) t.match(states.text, `id="${id}"`)
    const errors = await page('/docs/errors')
    t.match(errors.text, /id="import_not_found"/)
    t.match(
      errors.response.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; style-src 'sha256-/
    )
  }
)

t.test('no answer may be sniffed or framed, none of an account may be cached', async (t) => {
  const s = await setup(t)
  for (const path of ['/imports', '/nothing', '/healthz']) {
    const { headers } = await s.get(path)
    t.equal(headers.get('x-content-type-options'), 'nosniff', path)
    t.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/, path)
    if (path === '/imports') t.equal(headers.get('cache-control'), 'no-store')
  }
})
