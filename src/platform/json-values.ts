// What makes a JSON value one that nothing behind it can take. Knows no domain word. Called for
// bodies (http.ts) and for form fields that come as JSON (import/accept/read-form.ts).

// Whoever walks or writes a very deep value overflows the stack; the database takes neither NUL nor
// half a character.
const maxDepth = 100

/** The first thing that is wrong, and where: `path` is `''` or begins with `/`. Null: nothing is.
 *  Needs no stack itself. */
export function findFault(value: unknown): { path: string; message: string } | null {
  let level = [{ path: '', value }]
  for (let depth = 0; level.length > 0; depth++) {
    const next: typeof level = []
    for (const { path, value: one } of level) {
      if (typeof one === 'string' && !isText(one)) return badText(path)
      if (typeof one !== 'object' || one === null) continue
      if (depth === maxDepth) {
        return { path: '', message: `is nested deeper than ${maxDepth} levels` }
      }
      for (const [key, inner] of Object.entries(one)) {
        if (!isText(key)) return badText(path)
        next.push({ path: `${path}/${key}`, value: inner })
      }
    }
    level = next
  }
  return null
}

const isText = (text: string) => !text.includes('\0') && text.isWellFormed()

const badText = (path: string) => ({ path, message: 'has a NUL or half a character in it' })
