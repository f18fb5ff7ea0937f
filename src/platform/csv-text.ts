// Values -> CSV text that is safe to open in a spreadsheet program. Pure; knows no domain word.
// Used by every CSV that leaves the service.

// A cell that begins like this is run as a formula by spreadsheet programs (OWASP ASVS 1.2.10).
// Quotes in front are counted in, so that taking one quote off again is exactly the reverse.
const formulaStart = /^'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

/** Puts a quote in front of a cell that a spreadsheet program would take for a formula. */
export function escapeFormula(cell: string): string {
  return formulaStart.test(cell) ? `'${cell}` : cell
}

/** One line of CSV with its line end (CRLF, RFC 4180). Null and undefined are empty cells. */
export function csvLine(cells: (string | number | null | undefined)[], delimiter = ','): string {
  return `${cells.map((cell) => csvCell(cell, delimiter)).join(delimiter)}\r\n`
}

function csvCell(cell: string | number | null | undefined, delimiter: string): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number') return String(cell)
  const text = escapeFormula(cell)
  const plain = !/["\r\n]/.test(text) && !text.includes(delimiter) && text === text.trim()
  return plain ? text : `"${text.replaceAll('"', '""')}"`
}
