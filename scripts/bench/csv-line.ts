// Cells -> one line of CSV. Pure. Called by make-csv.ts and configuration-needs.ts.

/** Quotes where it must, and nowhere else (RFC 4180). */
export function csvLine(cells: string[]): string {
  let line = ''
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index] as string
    if (index > 0) line += ','
    line += /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
  }
  return `${line}\n`
}
