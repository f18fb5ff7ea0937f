#!/usr/bin/env node
// Starts the command line: the sources in a clone, the built files in the package.
// Plain JavaScript, because it may be run by a Node that is too old for the rest: a clone brings its
// own Node 24 (the npm package `node`), and this finds it.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'src', 'cli.ts')
const entry = existsSync(source) ? source : join(root, 'dist', 'cli.js')

// npx runs us below a shell, and a signal for npx ends that shell only: its end is our signal.
if (process.env.npm_lifecycle_event === 'npx') {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(pathToFileURL(entry).href)
} else {
  runWithOwnNode()
}

function runWithOwnNode() {
  const node = findOwnNode()
  if (node === null) {
    console.error(`Muster needs Node 24 or newer; this is ${process.version}.`)
    process.exit(2)
  }
  const child = spawn(node, [entry, ...process.argv.slice(2)], { stdio: 'inherit' })
  // A signal meant for us is meant for it. (Ctrl-C reaches it by itself; twice does no harm.)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 2 : 1)
  })
}

function findOwnNode() {
  try {
    const require = createRequire(import.meta.url)
    const path = join(dirname(require.resolve('node/package.json')), 'bin', 'node')
    return existsSync(path) ? path : null
  } catch {
    return null
  }
}
