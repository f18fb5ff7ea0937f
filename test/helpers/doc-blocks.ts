// Pages of documentation as tests read them: their fenced blocks, their links, and their commands
// run in a shell as a reader would paste them.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** A fenced block of a page. */
export interface DocBlock {
  /** What stands behind the opening fence: `bash`, `json`, or ''. */
  language: string
  text: string
  /** 1-based line of the opening fence. */
  line: number
}

const run = promisify(execFile)

/** All fenced blocks of a page, in their order. */
export function readBlocks(page: string): DocBlock[] {
  const blocks: DocBlock[] = []
  let open: DocBlock | null = null
  for (const [index, line] of page.split('\n').entries()) {
    const fence = /^```(\w*)$/.exec(line)
    if (!fence) {
      if (open) open.text += `${line}\n`
    } else if (open) {
      blocks.push(open)
      open = null
    } else open = { language: fence[1] ?? '', text: '', line: index + 1 }
  }
  return blocks
}

/** The text of the first block of a language after some words of the page. */
export function blockAfter(page: string, words: string, language: string): string {
  const from = page.slice(0, page.indexOf(words)).split('\n').length
  const found = readBlocks(page).find((one) => one.line > from && one.language === language)
  if (!found) throw new Error(`no ${language} block after "${words}"`)
  return found.text
}

/** Links of a page that lead to no file. `folder`: where the page is. */
export function brokenLinks(page: string, folder: string): string[] {
  return linksOf(page).filter((link) => !existsSync(join(folder, link)))
}

/** Links to files of the repository, without what is behind the #. */
export function linksOf(page: string): string[] {
  const links = [...page.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)].map((match) => match[1] as string)
  return links.filter((link) => !/^[a-z]+:/.test(link))
}

/** Runs commands in bash; out: what they print. Throws an Error with what they complain of. */
export async function runBash(
  script: string,
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> }
): Promise<string> {
  const { PATH = '', HOME = '/' } = process.env
  const path = `${dirname(process.execPath)}:${PATH}`
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env: { PATH: path, HOME, ...env },
    timeout: 60_000
  })
  return stdout
}
