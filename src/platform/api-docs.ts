// The API describes itself: OpenAPI 3.1 made from the route schemas at /openapi.json, a reference
// page at /docs, every error code explained at /docs/errors, and pages of tables that app.ts hands
// over. No third party is asked for anything: all assets are served from here.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { operationErrors } from '../error-catalogue.ts'
import { rowProblems } from '../row-problem-catalogue.ts'
import type { App } from './http.ts'
import { problemsOf } from './http-schemas.ts'

/** What the document says of the service as a whole. */
export interface ApiTexts {
  /** Markdown. */
  description: string
  tags: { name: string; description: string }[]
}

/** A page of tables, served as HTML. Texts are plain. */
export interface DocPage {
  /** `/docs/...` */
  url: string
  title: string
  tables: {
    title: string
    heads: string[]
    /** `id`: what a link names the row by; the first cell is a name or a code. */
    rows: { id: string; cells: string[] }[]
  }[]
}

/** Registers the generator. Call before any route is added. */
export async function registerApiDocs(app: App, texts: ApiTexts): Promise<void> {
  const { version, license } = readPackage()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Muster',
        version,
        description: texts.description,
        contact: { name: 'The maintainers of Muster' },
        license: { name: license, identifier: license } as { name: string }
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags: texts.tags,
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, `mk_...`.' }
        }
      },
      security: [{ apiKey: [] }]
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`)
    },
    transformObject: (made) => {
      const document = (
        'openapiObject' in made ? made.openapiObject : made.swaggerObject
      ) as OpenApi
      mendParameters(document)
      return document
    }
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Muster API' },
    // BaseLayout: without the bar that offers to load other documents.
    uiConfig: { deepLinking: true, docExpansion: 'list', validatorUrl: null, layout: 'BaseLayout' },
    staticCSP: {
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': ["'self'", "'unsafe-inline'"],
      'img-src': ["'self'", 'data:'],
      'font-src': ["'self'", 'data:'],
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'"
    }
  })
}

/** Adds /openapi.json, /docs/errors and the pages. */
export function apiDocsRoutes(app: App, pages: DocPage[]): void {
  app.route({
    method: 'GET',
    url: '/openapi.json',
    schema: {
      operationId: 'getOpenApi',
      tags: ['docs'],
      summary: 'This document',
      description: 'Made from the schemas that the routes check and answer by.',
      security: [],
      response: {
        200: {
          description: 'OpenAPI 3.1.',
          content: {
            'application/json': { schema: { type: 'object', additionalProperties: true } }
          }
        },
        ...problemsOf(['validation_failed'])
      }
    },
    handler: () => app.swagger() as unknown as Record<string, unknown>
  })

  for (const page of [errorsPage(), ...pages]) {
    const html = htmlOf(page)
    app.route({
      method: 'GET',
      url: page.url,
      schema: { hide: true },
      handler: (_, reply) =>
        reply
          .header('content-security-policy', `default-src 'none'; style-src '${styleHash()}'`)
          .type('text/html; charset=utf-8')
          .send(html)
    })
  }
}

/** Name, version and license of this package. src/platform and dist/platform are equally deep. */
function readPackage(): { version: string; license: string } {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
}

interface Parameter {
  name: string
  required?: boolean
  schema?: { default?: unknown }
  style?: string
  explode?: boolean
}

interface OpenApi extends Record<string, unknown> {
  paths?: Record<string, Record<string, { parameters?: Parameter[] }>>
}

/** Says what the generator cannot: `filter[field]=value` is OpenAPI's style deepObject, and a
 *  parameter with a default may be left out. */
function mendParameters(document: OpenApi): void {
  const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path))
  for (const parameter of operations.flatMap(({ parameters }) => parameters ?? [])) {
    if (parameter.schema?.default !== undefined) parameter.required = false
    if (parameter.name === 'filter')
      Object.assign(parameter, { style: 'deepObject', explode: true })
  }
}

const style = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{border-top:1px solid #8884;padding:.4rem;text-align:left;
vertical-align:top}:target{background:#ff03}code{white-space:nowrap}`

const styleHash = () => `sha256-${createHash('sha256').update(style).digest('base64')}`

function errorsPage(): DocPage {
  const requests = Object.entries(operationErrors).map(([code, { status, title, message }]) => ({
    id: code,
    cells: [code, String(status), title, message]
  }))
  const rows = Object.entries(rowProblems).map(([code, { severity, message }]) => ({
    id: `row-${code}`,
    cells: [code, severity, message]
  }))
  return {
    url: '/docs/errors',
    title: 'Errors',
    tables: [
      {
        title: 'Answers to requests',
        heads: ['Code', 'Status', 'Title', 'Text'],
        rows: requests
      },
      { title: 'Problems of rows', heads: ['Code', 'Severity', 'Text'], rows }
    ]
  }
}

function htmlOf({ title, tables }: DocPage): string {
  const parts = tables.map((one) => `<h2>${escapeHtml(one.title)}</h2>\n${tableOf(one)}`)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Muster: ${escapeHtml(title.toLowerCase())}</title><style>${style}</style></head>
<body><h1>${escapeHtml(title)}</h1>
${parts.join('\n')}
</body></html>`
}

function tableOf({ heads, rows }: DocPage['tables'][number]): string {
  const head = heads.map((text) => `<th>${escapeHtml(text)}</th>`).join('')
  return `<table><thead><tr>${head}</tr></thead><tbody>${rows.map(rowOf).join('')}</tbody></table>`
}

function rowOf({ id, cells: [name = '', ...rest] }: { id: string; cells: string[] }): string {
  const others = rest.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')
  return `<tr id="${escapeHtml(id)}"><td><code>${escapeHtml(name)}</code></td>${others}</tr>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}
