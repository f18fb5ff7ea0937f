// Names, labels and headers of a definition: are they well formed, and is each of them one field's
// only? Pure. Headers are compared as import/ compares them: without case, spacing, punctuation.

import { escapeFormula } from '../platform/csv-text.ts'
import { externalIdPrefix } from './external-ids.ts'
import type { Faults } from './faults.ts'
import { type Field, idField } from './types.ts'

const snakeCase = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/
const dotted = /^[a-z][a-z0-9]*(?:[_.][a-z0-9]+)*$/
const maxNameChars = 60
const maxLabelChars = 100

// What every object has by nature cannot be the key of a value.
// Ids in other systems are columns of every type.
const isReserved = (name: string) => name in Object.prototype || name.startsWith(externalIdPrefix)

/** Checks the name of a type, field or rule. */
export function checkName(
  name: string,
  path: string,
  faults: Faults,
  { dots = false, min = 1 }: { dots?: boolean; min?: number } = {}
): void {
  if (!(dots ? dotted : snakeCase).test(name)) {
    const form = dots ? 'lower-case words joined by _ or .' : 'snake_case'
    faults.add(path, `"${cut(name)}" is not ${form} that begins with a letter`)
  } else if (name.length < min || name.length > maxNameChars) {
    faults.add(path, `must have ${min} to ${maxNameChars} characters`)
  } else if (isReserved(name)) faults.add(path, `"${name}" is reserved`)
}

/** Checks a label or alias: what is written in the header row of a file. */
export function checkHeader(header: string, path: string, faults: Faults): void {
  if (header.trim() !== header || !/[\p{L}\p{N}]/u.test(header)) {
    faults.add(path, 'must have a letter or digit, and no space at its ends')
  } else if (invisible.test(header)) {
    faults.add(path, 'has characters that nobody sees')
  } else if (header.length > maxLabelChars) {
    faults.add(path, `must have at most ${maxLabelChars} characters`)
  } else if (hasControl(header)) faults.add(path, 'must be a single line')
  else if (escapeFormula(header) !== header) {
    faults.add(path, 'must not begin like a formula (= + - @)')
  } else if (/^muster_/i.test(header)) faults.add(path, 'must not begin with muster_')
}

// Those that letters of some scripts are joined with are not among them.
const invisible = /[\u200b\u202a-\u202e\u2060-\u2069\ufeff]/

/** Whether there is a line break or another control character. */
export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

/** A header without what a user may get wrong: case, spacing, punctuation. */
export function foldHeader(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s_.\-/#:*()]+/g, '')
}

export const cut = (text: string) => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

/** A field with the place of its definition; null: not the caller's to change. */
export interface PlacedField {
  field: Field
  path: string | null
}

/** Refuses names, labels and aliases that mean two fields. Those of fields without a path come
 *  first: they are there already. */
export function checkDistinct(fields: PlacedField[], faults: Faults): void {
  const headers = new Map([
    ['musterid', 'Muster ID'],
    ['id', 'id']
  ])
  const names = new Set([idField])
  for (const { field, path } of [...fields].sort((a, b) => Number(!!a.path) - Number(!!b.path))) {
    const own = new Set<string>()
    const claim = (header: string, at: string) => {
      const folded = foldHeader(header)
      const taken = own.has(folded) ? undefined : headers.get(folded)
      if (path && taken !== undefined) {
        faults.add(`${path}/${at}`, `"${cut(header)}" already means the field ${cut(taken)}`)
      }
      own.add(folded)
      if (!headers.has(folded)) headers.set(folded, field.name)
    }
    if (!names.has(field.name)) claim(field.name, 'name')
    else if (path) faults.add(`${path}/name`, `"${cut(field.name)}" is taken`)
    names.add(field.name)
    claim(field.label, 'label')
    for (const [i, alias] of field.aliases.entries()) {
      // Clients and others call an id of their own ID: allowed, it wins over ours.
      if (foldHeader(alias) !== 'id') claim(alias, `aliases/${i}`)
    }
  }
}
