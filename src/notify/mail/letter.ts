// What a mail says, as data, and its two forms: text and HTML. Pure. Letters are made by
// import-letter.ts and notice.ts; mailer.ts renders them.
//
// Names of files, headers of columns and cells are hostile text. Every text of a letter passes
// `plain` here, whoever made it: none can begin a line, a header or an element of its own.

/** A mail before it has a form. A blank part is left out. */
export interface Letter {
  /** The subject, and the headline of the HTML. */
  subject: string
  /** What it is about, in sentences. */
  paragraphs: string[]
  /** Label and value. */
  facts: [string, string][]
  /** Label and number. */
  counts: [string, number][]
  problems: LetterProblem[]
  /** Said above the problems. */
  problemsTitle: string
  /** Label and address; an address without a host is shown, and leads nowhere. */
  links: [string, string][]
  /** Why somebody gets it. */
  footer: string
}

export interface LetterProblem {
  /** Line of the file. */
  line: number
  column: string | null
  code: string
  message: string
}

/** The text on one line, without what is invisible or turns the direction of reading, cut to
 *  `limit` characters. */
export function plain(text: string, limit = 1_000): string {
  const shown = text
    .toWellFormed()
    // Zl, Zp: line ends of Unicode. Cc: control characters. Cf: invisible, among them U+202E.
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/\p{Cf}/gu, '')
    .trim()
  return shown.length > limit ? `${shown.slice(0, limit - 1).toWellFormed()}…` : shown
}

/** A number as people write it: 500,000. */
export const shownNumber = (count: number): string => count.toLocaleString('en-US')

/** The subject as a header may have it. */
export const renderSubject = ({ subject }: Letter): string => plain(subject, 200)

/** The letter as plain text. */
export function renderText(letter: Letter): string {
  const width = Math.max(0, ...[...letter.facts, ...letter.counts].map(([label]) => label.length))
  const row = (label: string, value: string) => `  ${plain(label).padEnd(width)}  ${plain(value)}`
  const parts = [
    renderSubject(letter),
    ...letter.paragraphs.map((text) => plain(text)),
    letter.facts.map(([label, value]) => row(label, value)).join('\n'),
    letter.counts.map(([label, count]) => row(label, shownNumber(count))).join('\n'),
    letter.problems.length > 0 ? plain(letter.problemsTitle) : '',
    ...letter.problems.map(problemText),
    letter.links.map(([label, url]) => `${plain(label)}:\n  ${plain(url)}`).join('\n'),
    letter.footer && `-- \n${plain(letter.footer)}`
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function problemText({ line, column, code, message }: LetterProblem): string {
  const place = column === null ? '' : `, column "${plain(column, 100)}"`
  return `  line ${line}${place}: ${plain(code)}\n    ${plain(message)}`
}

/** The letter as one HTML document that loads nothing from anywhere. */
export function renderHtml(letter: Letter): string {
  const title = shown(renderSubject(letter))
  return [
    '<!DOCTYPE html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${title}</title>`,
    '</head>',
    `<body style="${style.body}">`,
    `<div style="${style.sheet}">`,
    `<h1 style="${style.title}"><bdi>${title}</bdi></h1>`,
    ...letter.paragraphs.map((text) => `<p style="${style.paragraph}">${shown(text)}</p>`),
    ...table(letter.facts, style.fact),
    ...table(
      letter.counts.map(([label, count]): [string, string] => [label, shownNumber(count)]),
      style.count
    ),
    ...problemList(letter),
    ...letter.links.map(linkLine),
    ...(letter.footer ? [`<p style="${style.footer}">${shown(letter.footer)}</p>`] : []),
    '</div>',
    '</body>',
    '</html>',
    ''
  ].join('\n')
}

function table(rows: [string, string][], valueStyle: string): string[] {
  if (rows.length === 0) return []
  return [
    `<table style="${style.table}">`,
    ...rows.map(
      ([label, value]) =>
        `<tr><th scope="row" style="${style.label}">${shown(label)}</th>` +
        `<td style="${valueStyle}"><bdi>${shown(value)}</bdi></td></tr>`
    ),
    '</table>'
  ]
}

function problemList({ problems, problemsTitle }: Letter): string[] {
  if (problems.length === 0) return []
  return [
    `<h2 style="${style.heading}">${shown(problemsTitle)}</h2>`,
    `<ul style="${style.list}">`,
    ...problems.map(({ line, column, code, message }) => {
      const place = column === null ? '' : `, column “<bdi>${shown(column, 100)}</bdi>”`
      return (
        `<li style="${style.item}">line ${line}${place}: <code>${shown(code)}</code><br>` +
        `<bdi>${shown(message)}</bdi></li>`
      )
    }),
    '</ul>'
  ]
}

function linkLine([label, url]: [string, string]): string {
  const address = /^https?:\/\//.test(url)
    ? `<a href="${shown(url)}" style="${style.link}">${shown(url)}</a>`
    : `<code>${shown(url)}</code>`
  return `<p style="${style.paragraph}">${shown(label)}:<br>${address}</p>`
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;'
}

const shown = (text: string, limit?: number) =>
  plain(text, limit).replace(/[&<>"']/g, (sign) => entities[sign] ?? sign)

// Mail programs drop style sheets; what is written at the element stays.
const style = {
  body: 'margin:0;padding:24px 12px;background:#f3f4f6;color:#1f2937;font:15px/1.5 Arial,Helvetica,sans-serif',
  sheet:
    'max-width:600px;margin:0 auto;padding:24px;background:#ffffff;border:1px solid #e5e7eb;border-radius:6px;overflow-wrap:anywhere',
  title: 'margin:0 0 16px;font-size:19px;line-height:1.35',
  heading: 'margin:24px 0 8px;font-size:16px',
  paragraph: 'margin:0 0 12px',
  table: 'margin:0 0 16px;border-collapse:collapse',
  label:
    'padding:3px 24px 3px 0;text-align:left;vertical-align:top;font-weight:normal;color:#6b7280;white-space:nowrap',
  fact: 'padding:3px 0',
  count: 'padding:3px 0;text-align:right;font-weight:bold',
  list: 'margin:0 0 16px;padding-left:20px',
  item: 'margin:0 0 8px',
  link: 'color:#1d4ed8',
  footer:
    'margin:24px 0 0;padding-top:12px;border-top:1px solid #e5e7eb;color:#6b7280;font-size:13px'
}
