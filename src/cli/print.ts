// Imports and rows as text for people. Pure: JSON of the API in, lines out.

import type { ImportJson } from '../import/import-json.ts'
import type { RowJson } from '../import/list-rows.ts'

/** The result of an import: what it was, then one line for each outcome that occurred. */
export function summaryLines(job: ImportJson): string[] {
  const counts = Object.entries(job.counts).filter(([, count]) => count !== null && count > 0)
  const lines = [
    `${whatOf(job)} (${job.type}): ${job.dry_run && job.kind === 'import' ? 'dry run, ' : ''}${job.state.replaceAll('_', ' ')}`,
    ...counts.map(([outcome, count]) => countLine(outcome.replaceAll('_', ' '), Number(count)))
  ]
  for (const [type, count] of Object.entries(job.references_created)) {
    lines.push(`  and ${count} new ${type.replaceAll('_', ' ')} that rows named`)
  }
  if (job.rows.per_second !== null) {
    const speed = Math.round(job.rows.per_second).toLocaleString('en')
    lines.push(`  ${job.rows.done.toLocaleString('en')} rows, ${speed} rows/s`)
  }
  if (job.error) lines.push(`  ${job.error.message} (${job.error.code})`)
  return lines
}

function whatOf({ id, file, undo_of, dry_run }: ImportJson): string {
  if (file) return `Import ${id} of ${file.name}`
  return `${dry_run ? 'Dry run of undo' : 'Undo'} ${id} of import ${undo_of}`
}

function countLine(name: string, count: number): string {
  return `  ${name.padEnd(12)}${count.toLocaleString('en').padStart(10)}`
}

/** A row with what is wrong with it, one line for each problem. */
export function rowLines({ row, line, outcome, problems }: RowJson): string[] {
  const place = `line ${line} (row ${row})`
  if (problems.length === 0) return [`  ${place}: ${outcome}`]
  return problems.map(({ column, message, candidates = [] }) => {
    const meant = candidates
      .map(({ id, title }) => `${title} (${id === null ? 'new' : `id ${id}`})`)
      .join(', ')
    const where = column === null ? place : `${place}, ${column}`
    return `  ${where}: ${message}${meant === '' ? '' : ` They are: ${meant}.`}`
  })
}
