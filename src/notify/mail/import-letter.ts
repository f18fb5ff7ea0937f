// The end of an import, a dry run or an undo -> the letter that tells of it. Pure.
// In: what the database wrote down at the end, and the first problems. Called by mailer.ts.

import type { RowProblemCode } from '../../errors.ts'
import type { Problem } from '../../import/terms.ts'
import { rowProblems } from '../../row-problem-catalogue.ts'
import { type Letter, type LetterProblem, plain, shownNumber } from './letter.ts'

/** `content` of a mail about an import, as write_import_mails() makes it. Times are texts. */
export interface ImportFacts {
  type: string
  kind: 'import' | 'undo'
  state: EndState
  /** Of an undo: the import that it takes back. */
  undo_of: number | null
  /** What it takes back is an undo itself. */
  redo: boolean
  dry_run: boolean
  /** Of an undo: that of the import that it takes back. */
  file_name: string
  counts: Record<CountName, number>
  rows_total: number | null
  error: { code: string; message: string } | null
  started_at: string | null
  finished_at: string
}

type EndState = 'completed' | 'completed_with_errors' | 'failed' | 'cancelled' | 'ready'
type CountName = (typeof countNames)[number]

const countNames = [
  'created',
  'updated',
  'unchanged',
  'skipped',
  'rejected',
  'failed',
  'reverted',
  'kept'
] as const

/** What is read when the mail is sent. */
export interface ImportSurroundings {
  import_id: number
  /** Name of the key that asked for it; null: unknown. */
  started_by: string | null
  /** Of the first rows that were rejected or failed. */
  problems: StoredProblem[]
  /** The record type holds secrets, or is not known any more. */
  has_secrets: boolean
  /** Where the service is; null: unknown. */
  publicUrl: string | null
}

export interface StoredProblem {
  line: number
  problem: Problem
}

const maxProblems = 10

/** Makes the letter. */
export function importLetter(facts: ImportFacts, around: ImportSurroundings): Letter {
  const { import_id, started_by, publicUrl } = around
  const problems = around.problems.slice(0, maxProblems)
  const link = (path: string) => `${publicUrl ?? ''}/imports/${import_id}${path}`
  const hasBad = facts.counts.rejected + facts.counts.failed > 0
  return {
    subject: subjectOf(facts, import_id),
    paragraphs: paragraphsOf(facts, import_id),
    facts: [
      ['Record type', facts.type],
      ['File', facts.file_name],
      ...(started_by === null ? [] : [['Started by', `API key "${started_by}"`] as const]),
      ...(facts.started_at === null ? [] : [['Started', shownTime(facts.started_at)] as const]),
      ['Ended', shownTime(facts.finished_at)]
    ].map(([label, value]) => [label ?? '', value ?? '']),
    counts: shownCounts(facts).map(([name, count]) => [wordOf(facts, name), count]),
    problems: problems.map((one) => letterProblem(one, around.has_secrets)),
    problemsTitle:
      problems.length < maxProblems ? 'The problems' : `The first ${maxProblems} problems`,
    links: [
      ['Results', link('')],
      ['Every row', link('/rows')],
      ...(hasBad && facts.kind === 'import'
        ? [['Rejected rows, to mend and send again', link('/rejects.csv')] as [string, string]]
        : [])
    ],
    footer:
      'Muster sent this because your address is named by the import or by the notification ' +
      'settings of its account. The links need an API key.'
  }
}

function subjectOf(facts: ImportFacts, import_id: number): string {
  const counts = shownCounts(facts).map(([name, n]) => `${shownNumber(n)} ${wordOf(facts, name)}`)
  const state = facts.state.replaceAll('_', ' ')
  const end = counts.length === 0 ? state : `${state} (${counts.join(', ')})`
  // The counts are what is looked for: a long name must not push them out.
  return `${nameOf(facts, import_id)}: ${end}`
}

function nameOf(facts: ImportFacts, import_id: number): string {
  const { kind, dry_run, undo_of, redo, file_name } = facts
  const file = plain(file_name, 80)
  if (kind === 'import') return `${dry_run ? 'Dry run' : 'Import'} ${import_id} of ${file}`
  const [verb, what] = redo ? ['redo', 'undo'] : ['undo', 'import']
  const of = `${verb} of ${what} ${undo_of} of ${file}`
  return dry_run ? `Dry run of the ${of}` : `${verb === 'redo' ? 'Redo' : 'Undo'}${of.slice(4)}`
}

const shownCounts = ({ counts }: ImportFacts) =>
  countNames.map((name) => [name, counts[name] ?? 0] as const).filter(([, count]) => count > 0)

/** What is not done yet is not said to be done. */
function wordOf({ dry_run }: ImportFacts, name: CountName): string {
  const isDone = ['created', 'updated', 'reverted', 'kept'].includes(name)
  return dry_run && isDone ? `to be ${name}` : name
}

function paragraphsOf(facts: ImportFacts, import_id: number): string[] {
  const { kind, state, dry_run, error } = facts
  if (state === 'failed') return [error ? `${error.message} (${error.code})` : 'It failed.']
  if (dry_run) return dryParagraphs(facts, import_id)
  if (state === 'cancelled') {
    return ['It was cancelled before its end. What was written until then stays.']
  }
  if (kind === 'undo') {
    const before = `as it was before the ${facts.redo ? 'undo' : 'import'}`
    return [
      state === 'completed'
        ? `Every record is ${before}.`
        : `What could be taken back is ${before}; the rest was kept as it is.`
    ]
  }
  if (state === 'completed') return ['The file was read to its end and every row is in.']
  return ['The file was read to its end. Rows that were rejected or failed are not in.']
}

function dryParagraphs({ kind, state, undo_of, redo }: ImportFacts, import_id: number): string[] {
  if (state === 'cancelled') {
    return ['This was a dry run, cancelled before its end: nothing was written.']
  }
  const [rows, how] =
    kind === 'import'
      ? ['rows', `exactly that, send POST /imports/${import_id}/apply`]
      : ['records', `that, send POST /imports/${undo_of}/${redo ? 'redo' : 'undo'}`]
  return [
    `This was a dry run: nothing was written. The counts say what would become of the ${rows}.`,
    `To do ${how}.`
  ]
}

/** Cells of files with secrets may be anything, also in the wrong column: then the message is told
 *  without what it quotes. The value of a cell by itself is never told. */
function letterProblem({ line, problem }: StoredProblem, has_secrets: boolean): LetterProblem {
  const { column, code, message } = problem
  return { line, column, code, message: has_secrets ? withoutValues(problem) : message }
}

function withoutValues({ code, field, column }: Problem): string {
  const known: Record<string, string | null> = { field, column }
  // The code may be of an older version.
  const text = rowProblems[code as RowProblemCode]?.message
  if (text === undefined) return 'See the results.'
  return text.replace(/\{(\w+)\}/g, (_, name: string) => known[name] ?? '…').replaceAll('….', '…')
}

function shownTime(text: string): string {
  return `${new Date(text).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
