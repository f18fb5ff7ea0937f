// Every folder in cases/ is a file (input.csv) and what must come out of it (expected.json): the
// dialect and each row with its line and its cells, and the codes of its problems; or the error.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AppError } from '../../../src/errors.ts'
import { type ReadSettings, readCsv } from './read.ts'

interface Case {
  about: string
  settings?: ReadSettings
  [result: string]: unknown
}

const folder = join(import.meta.dirname, 'cases')
const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())

for (const { name } of names) {
  const { about, settings, ...expected } = readCase(name)
  t.test(`${name}: ${about}`, async (t) => {
    const input = readFileSync(join(folder, name, 'input.csv'))
    t.strictSame(await describe(input, settings), expected)
    // The same through a window that has to move and grow for every row.
    t.strictSame(await describe(input, { ...settings, windowBytes: 3, chunkBytes: 5 }), expected)
  })
}

function readCase(name: string): Case {
  return JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8'))
}

/** The outcome of reading a file in the form of expected.json. */
async function describe(input: Buffer, settings: ReadSettings = {}) {
  try {
    const { dialect, rows, ends } = await readCsv(input, settings)
    const { delimiter, newline, headers } = dialect
    return {
      dialect: { delimiter, newline, headers },
      rows: rows.map(({ line, cells, problems }) => ({
        line,
        cells,
        ...(problems && { problems: problems.map(({ code }) => code) })
      })),
      blank_rows: ends.at(-1)?.blankRows ?? 0
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { error: error.code, message: error.message }
  }
}
