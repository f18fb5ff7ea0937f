// Imports of contacts with a column of another system's ids, and the links that come of them.

import type { Setup } from '../setup.ts'

const psa = { 'Company ID': 'external_ids.connectwise' }
export const header = 'Company ID,organization,first_name,last_name,emails,title\n'

/** Imports contacts; out: the import and its rows. */
export async function runLinked(s: Setup, lines: string, options: object = {}) {
  const { mapping = psa, head = header, ...rest } = options as Record<string, unknown>
  const json = await s.runCsv(`${head}${lines}`, { mapping, ...rest })
  const { data } = (await s.get(`/imports/${json.id}/rows?limit=500`)).body
  // t.match does not look at lengths.
  if (data.length !== lines.trim().split('\n').length) throw new Error(JSON.stringify(data))
  return { ...json, data }
}

export const putLink = (s: Setup, id: number, body: object, system = 'connectwise') =>
  s.request('PUT', `/records/${id}/links/${system}`, { body })

/** All links there are: [record, system, id, state]. */
export const linksOf = async ({ pool }: Setup) =>
  (
    await pool.query({
      text: `SELECT record_id, system, external_id, state FROM record_links
        ORDER BY system, external_id`,
      rowMode: 'array'
    })
  ).rows
export const cw = 'connectwise'
/** The state of a link that only an import has named. */
export const named = 'not_synced'
