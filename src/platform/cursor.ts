// Cursors of lists: the place where the next page begins, as text that callers only hand back.

import { appError } from '../errors.ts'

/** The cursor that continues after the item with this number. */
export function cursorAfter(id: number): string {
  return Buffer.from(`after:${id}`).toString('base64url')
}

/** The number a cursor stands for; `start` without a cursor. Throws invalid_cursor. */
export function readCursor<T>(cursor: string | undefined, start: T): number | T {
  if (cursor === undefined) return start
  const text = Buffer.from(cursor, 'base64url').toString()
  const id = Number(/^after:(\d{1,15})$/.exec(text)?.[1] ?? Number.NaN)
  if (Number.isNaN(id)) throw appError('invalid_cursor')
  return id
}

/** Makes a page of `limit` items out of up to `limit + 1` that were read. */
export function toPage<T>(items: T[], limit: number, idOf: (item: T) => number) {
  const data = items.slice(0, limit)
  const last = data.at(-1)
  const more = items.length > limit && last !== undefined
  return { data, next_cursor: more ? cursorAfter(idOf(last)) : null }
}
