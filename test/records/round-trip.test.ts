// Export is the import's own format: what is exported and sent again changes nothing, and what was
// edited in between changes just that. For every record type there is, and for values of every kind.

import fc from 'fast-check'
import t from 'tap'
import { whyNotByName } from '../../src/record-types/create-by-name.ts'
import { builtinTypes } from '../../src/record-types/registry.ts'
import { loadTypes } from '../../src/record-types/store.ts'
import type { RecordType } from '../../src/record-types/types.ts'
import { holds } from '../helpers/property.ts'
import { rowsOf } from '../helpers/random-records.ts'
import { until } from '../helpers/until.ts'
import { type Setup, setup } from '../setup.ts'

const everyKind = {
  name: 'appliances',
  label: 'Appliances',
  fields: [
    { name: 'name', label: 'Name', kind: 'text', required: true, use_for_title: true },
    { name: 'notes', label: 'Notes', kind: 'textbox' },
    { name: 'managed', label: 'Managed', kind: 'checkbox' },
    { name: 'ports', label: 'Ports', kind: 'integer' },
    { name: 'price', label: 'Price', kind: 'number' },
    { name: 'load', label: 'Load', kind: 'percent' },
    { name: 'bought', label: 'Bought', kind: 'date' },
    { name: 'seen', label: 'Seen', kind: 'datetime' },
    { name: 'size', label: 'Size', kind: 'select', options: ['=small', 'big one'] },
    { name: 'mails', label: 'Mails', kind: 'email', many: true },
    { name: 'call', label: 'Call', kind: 'phone' },
    { name: 'page', label: 'Page', kind: 'url' },
    { name: 'address', label: 'Address', kind: 'ip' },
    { name: 'mac', label: 'MAC', kind: 'mac' },
    { name: 'host', label: 'Host', kind: 'host' },
    { name: 'secret', label: 'Secret', kind: 'password' },
    { name: 'owners', label: 'Owners', kind: 'tag', reference: { type: 'organizations' } },
    { name: 'facts', label: 'Facts', kind: 'json' }
  ]
}

interface Account {
  service: Setup
  key: string
  account_id: number
  types: Map<string, RecordType>
}

async function makeAccount(service: Setup): Promise<Account> {
  const account = await service.makeAccount('round trip')
  const { key } = account
  const { status, body } = await service.request('POST', '/record-types', { key, body: everyKind })
  if (status !== 201) throw new Error(JSON.stringify(body))
  const types = await loadTypes(service.pool, account.account_id)
  return { service, ...account, types: new Map(types.list.map((type) => [type.name, type])) }
}

const quote = (cells: string[]) => cells.map((one) => `"${one.replaceAll('"', '""')}"`).join(',')

async function run({ service, key }: Account, type: string, csv: string, more = {}) {
  const { status, body: sent } = await service.uploadCsv(csv, { type, key, ...more })
  if (status !== 202) throw new Error(JSON.stringify(sent))
  const done = await until(`the end of import ${sent.id}`, async () => {
    const { body } = await service.request('GET', `/imports/${sent.id}`, { key })
    return body.finished_at === null ? null : body
  })
  const { body } = await service.request('GET', `/imports/${done.id}/rows?limit=200`, { key })
  return { done, rows: body.data }
}

async function exported({ service, key }: Account, type: string): Promise<string> {
  const { status, body } = await service.request('GET', `/records/export.csv?type=${type}`, { key })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body
}

/** The reference fields whose records can be made by naming them. */
function creatable({ types }: Account, type: RecordType): string[] {
  return type.fields.flatMap(({ name, reference }) => {
    const target = types.get(reference?.type ?? '')
    const rule = target?.match_rules.find(
      (one) => one.name === (reference?.also ?? reference?.rule)
    )
    return target && rule && whyNotByName(target, rule) === null ? [name] : []
  })
}

/** What the references of a type can name: two records of each type, one with a number for a name,
 *  and ids that mostly name nothing. */
function namesFor(account: Account, type: RecordType): Map<string, string[]> {
  const fields = type.fields.filter((field) => field.reference)
  const can = creatable(account, type)
  return new Map(
    fields.map(({ name, label }) => [
      name,
      can.includes(name) ? [`${label} one`, '2024'] : ['id:1']
    ])
  )
}

async function checkType(account: Account, name: string, rows: string[][]): Promise<number> {
  const type = account.types.get(name) as RecordType
  const headers = type.fields.map((field) => field.label)
  const policies = creatable(account, type).map((field) => [field, 'create'])
  const options = { similar: 'ignore', on_missing: JSON.stringify(Object.fromEntries(policies)) }
  await run(account, name, [headers, ...rows].map(quote).join('\n'), options)
  const csv = await exported(account, name)
  if (csv.split('\r\n').length <= 2) return 0
  const again = await run(account, name, csv)
  const odd = again.rows.filter((row: { outcome: string }) => row.outcome !== 'unchanged')
  if (odd.length > 0) throw new Error(`${name}: ${JSON.stringify({ odd, csv }, null, 1)}`)
  return again.rows.length
}

// One service for all types, each with an account of its own.
const service = await setup(t, { worker: true })

for (const { name } of [...builtinTypes.list, everyKind]) {
  t.test(`${name}: exported and imported, nothing changes`, async (t) => {
    const account = await makeAccount(service)
    const type = account.types.get(name) as RecordType
    const names = namesFor(account, type)
    let count = 0
    const property = fc.asyncProperty(rowsOf(type, names), async (rows) => {
      count += await checkType(account, name, rows)
    })
    await holds(property, 3)
    t.ok(count > 0, `${count} records`)
  })
}

t.test('values that look like separators or the clear marker come back as well', async (t) => {
  const account = await makeAccount(service)
  const options = { separators: '{"emails":";","tags":";"}', clear_marker: 'none' }
  const csv =
    'Organization,First Name,Last Name,Tags\n' +
    'Acme,Ann,__CLEAR__,"x, y;z"\nAcme,Bob,\'__CLEAR__,__CLEAR__\nAcme,Cid,,"[""a, b"",""c""]"\n'
  const first = await run(account, 'contacts', csv, options)
  t.match(first.done.counts, { created: 3 })
  const text = await exported(account, 'contacts')
  t.match(text, /"\["""?x, y"",""z""\]"|"\[""x, y"",""z""\]"/)
  const again = await run(account, 'contacts', text)
  t.match(again.done.counts, { unchanged: 3 }, text)
  t.equal(await exported(account, 'contacts'), text)
})

t.test('exported, edited and imported: just the edit is made', async (t) => {
  const account = await makeAccount(service)
  await run(
    account,
    'contacts',
    'Organization,First Name,Title,Emails\nAcme,Ann,CEO,a@x.io|b@x.io\nAcme,Bob,CTO,\nBeta,Cid,,\n'
  )
  const csv = await exported(account, 'contacts')
  const edited = csv.replace('CTO', 'Head of IT').replace('a@x.io|b@x.io', 'a@x.io|c@x.io')
  const { done, rows } = await run(account, 'contacts', edited)
  t.match(done.counts, { updated: 2, unchanged: 1, created: 0 })
  t.match(rows, [
    { outcome: 'updated', matched_by: 'id', changed_fields: ['emails'] },
    { outcome: 'updated', matched_by: 'id', changed_fields: ['title'] },
    { outcome: 'unchanged' }
  ])
  t.equal(await exported(account, 'contacts'), edited)
})
