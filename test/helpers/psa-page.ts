// The parts of docs/psa-envelopes.md that are made by the code: examples and tables.

import {
  autotaskNames,
  connectwiseNames,
  type FieldName,
  type TypeNames
} from '../../src/notify/send/crosswalk.ts'
import type { SentEvent } from '../../src/notify/send/delivery.ts'
import { buildRequest, type Envelope } from '../../src/notify/send/envelopes.ts'
import { sampleDelivery } from './sample-events.ts'

/** A request as the page shows it: the headers that are signed or signatures, and the body. */
export function examplesOf(envelope: Envelope, event: SentEvent) {
  const { headers, body } = buildRequest(envelope, sampleDelivery(event))
  const shown = Object.entries(headers).filter(([name]) => /^(webhook|x)-/.test(name))
  return {
    headers: shown.map(([name, value]) => `${name}: ${value}\n`).join(''),
    body: `${JSON.stringify(JSON.parse(body), null, 2)}\n`,
    raw: body
  }
}

/** The table of a record type: our fields, and what they are called elsewhere. */
export function tableOf(type: string): string {
  const there = connectwiseNames[type] as TypeNames
  const other = autotaskNames[type] as TypeNames
  const fields = [...new Set([...there.fields, ...other.fields].map(({ field }) => field))]
  const cells = ({ fields: all }: TypeNames, field: string) =>
    all
      .filter((one) => one.field === field)
      .map(cellOf)
      .join(', ')
  return [
    `| \`${type}\` | ConnectWise: \`${there.name}\` | Autotask: \`${other.name}\` |`,
    '|---|---|---|',
    ...fields.map((one) => `| \`${one}\` | ${cells(there, one)} | ${cells(other, one)} |`),
    ''
  ].join('\n')
}

function cellOf({ to, form, limit }: FieldName): string {
  const notes = [form === 'value' ? '' : form, limit ? `≤ ${limit}` : ''].filter(Boolean)
  return `\`${to}\`${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`
}
