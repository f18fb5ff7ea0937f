// The files of one record type and size. In: a folder. Out: what is in each file, and what has to be
// imported before. Called by measure.ts.

import { join } from 'node:path'
import { type CsvFacts, recipeOf, writeCsv } from '../make-csv.ts'
import { neededFiles } from './configuration-needs.ts'
import type { Variant } from './recipe.ts'
import type { TypeName } from './row-types.ts'

export interface Files {
  type: TypeName
  base: CsvFacts
  changed: CsvFacts
  bad: CsvFacts
  /** What is imported before the clock starts, in this order. */
  needed: { type: string; csv: string }[]
}

/** That many rows, or one file of so many bytes. */
export interface Size {
  rows?: number
  bytes?: number
}

/** Writes the files. Throws what the file system throws. */
export async function makeFiles(folder: string, type: TypeName, size: Size): Promise<Files> {
  const make = (variant: Variant) =>
    writeCsv({ ...size, type, variant, out: join(folder, `${type}-${variant}.csv`) })
  const base = await make('base')
  const recipe = recipeOf({ ...size, type, variant: 'base' })
  return {
    type,
    base,
    // A file of a given size is for the case create only.
    changed: size.bytes ? base : await make('changed'),
    bad: size.bytes ? base : await make('bad'),
    needed: type === 'configurations' ? neededFiles(recipe) : []
  }
}
