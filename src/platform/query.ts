// Query strings -> plain objects, with `name[key]=value` as a nested object (OpenAPI: deepObject).

import { parse } from 'node:querystring'

type Query = Record<string, unknown>

/** Parses a query string. Objects have no prototype, so that no key means anything special.
 *  A repeated key becomes a list, which schemas refuse where one value is expected. */
export function parseQuery(text: string): Query {
  const query: Query = Object.create(null)
  for (const [key, value] of Object.entries(parse(text))) {
    const [, name, inner] = /^(\w+)\[([^[\]]+)\]$/.exec(key) ?? []
    if (name === undefined || inner === undefined) {
      query[key] = value
      continue
    }
    const nested = query[name] ?? Object.create(null)
    query[name] = nested
    if (typeof nested === 'object') (nested as Query)[inner] = value
  }
  return query
}
