// The report as a table for people. Pure. Called by bench.ts.

import { type CaseReport, type ComparedReport, comparedAim, type Report } from './report.ts'

/** The report as a table. */
export function formatReport(report: Report): string {
  const { machine } = report
  const lines = [
    `${machine.cpus} CPUs (${machine.cpu_model}), Node ${machine.node}, PostgreSQL ${machine.postgres}`
  ]
  for (const { rows, file_bytes, organizations, cases, configurations } of report.sizes) {
    if (file_bytes !== null) {
      lines.push('', sizeLine('contacts', { rows, file_bytes, organizations }), columns(head))
      for (const [name, one] of Object.entries(cases)) lines.push(columns(cells(name, one)))
    }
    if (!configurations) continue
    const size = sizeLine('configurations', configurations)
    lines.push('', `${size}; ratio to contacts, aim ${comparedAim}`, columns(comparedHead))
    for (const [name, one] of Object.entries(configurations.cases))
      lines.push(columns(comparedCells(name, one)))
  }
  if (report.floors.length > 0) lines.push('')
  for (const { case: name, yardstick, floor, reached, ok } of report.floors) {
    const verdict = ok ? 'reached' : 'MISSED'
    lines.push(`${name}: ${reached} of ${yardstick}; at least ${floor} wanted: ${verdict}`)
  }
  return lines.join('\n')
}

const head = [
  'case',
  'Muster/s',
  'seconds',
  'API MB',
  'work MB',
  'lean/s',
  'ratio',
  'equal/s',
  'ratio'
]

const comparedHead = [...head.slice(0, 5), 'ratio', 'aim']

function cells(name: string, one: CaseReport): string[] {
  const { muster, lean, equal_work } = one
  return [
    ...musterCells(name, muster),
    speed(lean),
    dash(one.ratio_lean),
    speed(equal_work),
    dash(one.ratio_equal_work)
  ]
}

function comparedCells(name: string, one: ComparedReport): string[] {
  const verdict = one.ok ? 'reached' : 'MISSED'
  return [
    ...musterCells(name, one.muster),
    dash(one.ratio_contacts),
    one.ok === null ? '-' : verdict
  ]
}

function musterCells(name: string, muster: CaseReport['muster']): string[] {
  const megabytes = (bytes: number | null | undefined) => (bytes ? number(bytes / 1e6) : '-')
  return [
    name,
    speed(muster),
    muster ? String(Math.min(...muster.seconds)) : '-',
    megabytes(muster?.api_peak_rss_bytes),
    megabytes(muster?.worker_peak_rss_bytes)
  ]
}

function sizeLine(
  what: string,
  size: { rows: number; file_bytes: number; organizations: number | null }
): string {
  return `${number(size.rows)} ${what}, ${number(size.file_bytes / 1e6)} MB, ${size.organizations} organizations`
}

const dash = (value: number | null) => (value === null ? '-' : String(value))
const speed = (value: { rows_per_second: number } | null) =>
  value ? number(value.rows_per_second) : '-'
const columns = (texts: string[]) =>
  texts.map((text, index) => (index === 0 ? text.padEnd(12) : text.padStart(9))).join(' ')
const number = (value: number) => Math.round(value).toLocaleString('en')
