// The source as the architecture rules see it: path, text, and what it imports (types included).

import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, posix, relative } from 'node:path'

export interface SourceFile {
  /** Path from the repository's root, with slashes: `src/import/job.ts`. */
  path: string
  text: string
  /** What it imports: paths of the repository (`src/errors.ts`), packages and `node:` names. */
  imports: string[]
}

const root = join(import.meta.dirname, '..', '..')

/** Reads every TypeScript file below the given folders of the repository. */
export async function readSources(...folders: string[]): Promise<SourceFile[]> {
  const files: SourceFile[] = []
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), {
      recursive: true,
      withFileTypes: true
    })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue
      const path = join(entry.parentPath, entry.name)
      const inRepository = relative(root, path).replaceAll('\\', '/')
      files.push(sourceFile(inRepository, await readFile(path, 'utf8')))
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const importForms = [
  // import x from '...', import type { x } from '...', export { x } from '...'; several lines too
  /^(?:import|export)\b[^'"`;=()]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  // import '...'
  /^import\s*['"]([^'"]+)['"]/gm,
  // await import('...'), typeof import('...')
  /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
]

/** Finds the imports of a text. */
export function sourceFile(path: string, text: string): SourceFile {
  const names = importForms.flatMap((form) => [...text.matchAll(form)].map((hit) => hit[1] ?? ''))
  const imports = names.map((name) =>
    name.startsWith('.') ? posix.normalize(posix.join(dirname(path), name)) : name
  )
  return { path, text, imports }
}
