// JSON of cells. Pure. In: a trimmed text. Out: the value, or undefined. Called by cell-kinds.ts.

import type { Json } from '../../../record-types/types.ts'

// Deeper values overflow the stack of whoever writes them out again.
const maxDepth = 30

/** Any JSON value that the database can keep; `null` is none, for it would mean a cleared field. */
export function readJson(text: string): Json | undefined {
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON: the row gets invalid_json.
    return undefined
  }
  return value !== null && isStorable(value, maxDepth) ? value : undefined
}

/** PostgreSQL keeps neither NUL nor half a character, and JSON no infinite number. */
function isStorable(value: Json, depth: number): boolean {
  if (typeof value === 'string') return isText(value)
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || typeof value === 'boolean') return true
  if (depth === 0) return false
  if (Array.isArray(value)) return value.every((one) => isStorable(one, depth - 1))
  return Object.entries(value).every(([key, one]) => isText(key) && isStorable(one, depth - 1))
}

const isText = (text: string) => !text.includes('\0') && text.isWellFormed()
