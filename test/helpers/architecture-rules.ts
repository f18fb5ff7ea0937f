// The rules of the architecture, each a function from source files to the places that break it.
// Used by architecture.test.ts on the real source and on small bad samples.

import type { SourceFile } from './source-files.ts'

/** Finds what breaks one rule; each text names the file and what is wrong with it. */
export type Rule = (files: SourceFile[]) => string[]

const modules = [
  'access',
  'record-types',
  'import',
  'records',
  'duplicates',
  'undo',
  'notify',
  'sync',
  'console',
  'retention'
]

/** Module of a path, e.g. `import`; null for files outside of modules. */
function moduleOf(path: string): string | null {
  const folder = path.split('/')[1] ?? ''
  return path.startsWith('src/') && modules.includes(folder) ? folder : null
}

// The words of the field are known to all, the error catalogue's types among them.
const foundation = [
  'src/config.ts',
  'src/smtp-url.ts',
  'src/email-address.ts',
  'src/errors.ts',
  'src/error-catalogue.ts',
  'src/telling-error-catalogue.ts',
  'src/row-problem-catalogue.ts',
  'src/events.ts',
  'src/event-data.ts',
  'src/import/terms.ts'
]

/** Height of a file: it may import what is at its own height or below. */
function heightOf(path: string): number {
  if (foundation.includes(path)) return 0
  if (path.startsWith('src/platform/')) return 1
  if (moduleOf(path) !== null) return 2
  return path === 'src/app.ts' || path === 'src/jobs.ts' ? 3 : 4
}

const ours = (file: SourceFile) => file.imports.filter((target) => target.startsWith('src/'))

export const neverUpward: Rule = (files) =>
  files.flatMap((file) =>
    ours(file)
      .filter((target) => heightOf(target) > heightOf(file.path))
      .map((target) => `${file.path} imports ${target}, which is above it`)
  )

export const noCycles: Rule = (files) => {
  const edges = new Map(files.map((file) => [file.path, ours(file)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: string[]) => {
    const from = trail.indexOf(path)
    if (from >= 0) cycles.push([...trail.slice(from), path].join(' -> '))
    if (from >= 0 || done.has(path)) return
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return cycles
}

// Beyond itself; `access` may be imported by routes, see below.
const mayImport: Record<string, (target: string) => boolean> = {
  access: () => false,
  'record-types': () => false,
  records: (target) => moduleOf(target) === 'record-types',
  import: (target) => ['record-types', 'records'].includes(moduleOf(target) ?? ''),
  duplicates: (target) => ['record-types', 'records'].includes(moduleOf(target) ?? ''),
  // The last step of the flow: it takes back what the others wrote.
  undo: (target) => ['record-types', 'records', 'import'].includes(moduleOf(target) ?? ''),
  // What other systems are told of records.
  sync: (target) => ['record-types', 'records', 'import'].includes(moduleOf(target) ?? ''),
  notify: (target) => moduleOf(target) === 'record-types',
  console: () => false,
  retention: () => false
}

export const knownNeighbours: Rule = (files) =>
  files.flatMap((file) => {
    const own = moduleOf(file.path)
    if (own === null) return []
    return ours(file)
      .filter((target) => moduleOf(target) !== null && moduleOf(target) !== own)
      .filter((target) => !foundation.includes(target))
      .filter((target) => !(moduleOf(target) === 'access' && file.path.endsWith('/routes.ts')))
      .filter((target) => !mayImport[own]?.(target))
      .map((target) => `${file.path} imports ${target}: ${own} does not know that module`)
  })

const listed = ['src/app.ts', 'src/jobs.ts']

export const listenersAreListedOnly: Rule = (files) =>
  files.flatMap((file) =>
    ours(file)
      .filter((target) => ['notify', 'console'].includes(moduleOf(target) ?? ''))
      .filter((target) => moduleOf(target) !== moduleOf(file.path) && !listed.includes(file.path))
      .map((target) => `${file.path} imports ${target}`)
  )

const seesHttp =
  /^src\/(app|all-in-one|server)\.ts$|\/routes\.ts$|^src\/(access\/guard|platform\/idempotency)\.ts$/

export const onlyRoutesSeeRequests: Rule = (files) =>
  files
    .filter(({ path }) => !seesHttp.test(path) && !path.startsWith('src/platform/http'))
    .flatMap(({ path, imports, text }) => [
      ...imports.filter((target) => target === 'fastify').map(() => `${path} imports fastify`),
      ...(/\bFastify(Request|Reply)\b/.test(text) ? [`${path} names a request or reply`] : [])
    ])

const holdsSql =
  /^src\/(platform\/|import\/(match|write)\/|duplicates\/find|undo\/revert\/)|\/store\.ts$/
const sqlForms = [
  /\.query\s*[(<]/,
  /`\s*(?:\/\*[^*]*\*\/)?\s*(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|COPY|CREATE|DROP)\s/,
  /\bcopyInto\(/
]

export const sqlInItsPlaces: Rule = (files) =>
  files
    .filter(({ path, text }) => !holdsSql.test(path) && sqlForms.some((form) => form.test(text)))
    .map(({ path }) => `${path} runs SQL`)

const pureFolder = /^src\/import\/(parse|resolve|decide)\//
const pureImports = [
  /^node:/,
  /^csv-parser$/,
  /^libphonenumber-js\/min$/,
  /^src\/import\/terms\.ts$/,
  /^src\/errors\.ts$/,
  /^src\/record-types\//,
  // What one pure step hands to the next.
  pureFolder
]

export const pureStepsStayPure: Rule = (files) =>
  files
    .filter(({ path }) => pureFolder.test(path))
    .flatMap(({ path, imports, text }) => {
      const own = path.slice(0, path.lastIndexOf('/') + 1)
      const foreign = imports.filter(
        (target) => !target.startsWith(own) && !pureImports.some((form) => form.test(target))
      )
      const clock = /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bMath\.random\(/.test(text)
      return [
        ...foreign.map((target) => `${path} imports ${target}`),
        ...(clock ? [`${path} asks the clock or for chance`] : [])
      ]
    })

export const noBarrels: Rule = (files) =>
  files
    .filter(({ text }) => {
      const code = text.replace(/^\s*\/\/.*$/gm, '').replace(/\/\*[\s\S]*?\*\//g, '')
      const rest = code.replace(/^export\b[^'"`;=()]*?\bfrom\s*['"][^'"]+['"]/gm, '')
      return /^export \* from/m.test(code) || (code.trim() !== '' && rest.trim() === '')
    })
    .map(({ path }) => `${path} only hands on what others export`)

export const noDefaultExports: Rule = (files) =>
  files
    .filter(({ text }) => /^export (default\b|\{[^}]*\bas default\b)/m.test(text))
    .map(({ path }) => `${path} has a default export`)

export const environmentInConfigOnly: Rule = (files) =>
  files
    .filter(({ path, text }) => path !== 'src/config.ts' && /\bprocess\.env\b/.test(text))
    .map(({ path }) => `${path} reads process.env`)

export const opensWithComment: Rule = (files) =>
  files
    .filter(({ text }) => !/^(#!.*\n)?(\/\/ \S|\/\*\*? ?\S?)/.test(text))
    .map(({ path }) => `${path} does not say first what it is`)

const maxFileLines = 400

export const filesStayShort: Rule = (files) =>
  files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > maxFileLines)
    .map(({ path, lines }) => `${path} has ${lines} lines, the limit is ${maxFileLines}`)

const maxFunctionLines = 60
// `function a(`, `a(b) {` of a method, `=> {`; the signature may go on over several lines.
const functionStart =
  /\bfunction\b.*[({]$|=> \{$|^\s*(?:async |static |get |set |\*)*[\w$#]+(?:<.*>)?\(.*\{$|^\s*(?:async |static )*[\w$#]+(?:<.*>)?\($/
const noFunction = /^\s*(?:\}\s*)?(?:if|else|for|while|switch|catch|\/\/|\*)\b/

/** The formatter puts a function's end at the indentation of its start: no parser is needed. */
export const functionsStayShort: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    return lines.flatMap((line, index) => {
      if (!functionStart.test(line) || (noFunction.test(line) && !line.endsWith('=> {'))) return []
      const length = functionLength(lines.slice(index))
      if (length <= maxFunctionLines) return []
      return [`${path}:${index + 1} has a function of ${length} lines, the limit is 60`]
    })
  })

/** Lines of the function that the first line begins; 0 when it turns out to be none (a call). */
function functionLength(lines: string[]): number {
  const indent = (lines[0] ?? '').match(/^\s*/)?.[0] ?? ''
  const opened = lines[0]?.endsWith('{')
    ? 0
    : lines.findIndex((line, index) => index > 0 && line.startsWith(`${indent})`))
  if (opened < 0 || !lines[opened]?.endsWith('{')) return 0
  return lines.findIndex((line, index) => index > opened && line.startsWith(`${indent}}`)) + 1
}

// The steps of the flow are folders whatever their size: they show the flow.
const flowStep = /^src\/import\/(accept|parse|resolve|match|decide|write)$/

export const foldersAreWorthIt: Rule = (files) => {
  const counts = new Map<string, number>()
  for (const { path } of files) {
    const folder = path.slice(0, path.lastIndexOf('/'))
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  return [...counts]
    .filter(([folder, count]) => count < 3 && !flowStep.test(folder))
    .map(([folder, count]) => `${folder} has ${count} files: too few for a folder`)
}
