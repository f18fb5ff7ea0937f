// Finds the delimiter and the line end of a file by reading its first rows with each candidate. In:
// the first bytes of the file and where its header begins. Called by sniff.ts.

import type { Dialect } from '../terms.ts'
import { afterLineEnd, findLineEnd, LF, skipBlanks } from './bytes.ts'
import { createScan, scanRecord } from './scan-record.ts'

/** In order of preference, should two of them explain the file equally well. */
const candidates = [',', ';', '\t', '|']
const sampleRows = 100
const damaged = -1

/** The part of the file at hand, from the header on. */
export interface Head {
  bytes: Buffer
  /** Where the header row begins. */
  start: number
  /** Nothing follows `bytes` in the file. */
  atEnd: boolean
  maxRowBytes: number
}

interface Sample {
  /** Cells per record, the header's first; -1 for a record with damaged quotes. */
  counts: number[]
  /** Line ends seen, as text. */
  newlines: Set<Dialect['newline']>
}

/** Whether a text can be a delimiter: one ASCII character, not a quote, line end, letter or digit. */
export function isDelimiter(text: string): boolean {
  const code = text.charCodeAt(0)
  return text.length === 1 && code > 0 && code < 128 && !/["\r\nA-Za-z0-9]/.test(text)
}

/** The candidate by which most rows have as many cells as the header; comma for a single column. */
export function sniffDelimiter(head: Head): string {
  let best = ','
  let bestScore = 0
  for (const delimiter of candidates) {
    const score = rate(readSample(head, delimiter).counts)
    if (score > bestScore) {
      best = delimiter
      bestScore = score
    }
  }
  return best
}

/** Line end of the file's first rows: `\n` when they mix them. */
export function sniffNewline(head: Head, delimiter: string): Dialect['newline'] {
  const { newlines } = readSample(head, delimiter)
  const [newline] = newlines
  return newlines.size === 1 && newline ? newline : '\n'
}

/** 0 when the header has one cell; else higher the more rows agree with it and the more cells. */
function rate([header, ...rows]: number[]): number {
  if (header === undefined || header < 2) return 0
  const agreeing = rows.filter((cells) => cells === header).length
  return ((agreeing + 0.1) / (rows.length + 0.1)) * Math.log2(header)
}

function readSample(head: Head, delimiter: string): Sample {
  const { bytes, atEnd, maxRowBytes } = head
  const end = bytes.length
  const byte = delimiter.charCodeAt(0)
  const scan = createScan(byte, Number.POSITIVE_INFINITY)
  const sample: Sample = { counts: [], newlines: new Set() }
  for (let at = head.start; at < end && sample.counts.length < sampleRows; ) {
    const outcome = scanRecord(scan, bytes, at, end, atEnd, maxRowBytes)
    if (outcome === 'more') break
    const stop = outcome === 'ended' ? scan.end : findLineEnd(bytes, at, end)
    if (stop === -1) break
    const blank = skipBlanks(bytes, at, stop, byte) === stop
    if (!blank) sample.counts.push(outcome === 'ended' ? scan.cells : damaged)
    if (stop < end) sample.newlines.add(newlineAt(bytes, stop))
    at = afterLineEnd(bytes, stop)
  }
  return sample
}

function newlineAt(bytes: Buffer, at: number): Dialect['newline'] {
  if (bytes[at] === LF) return '\n'
  return bytes[at + 1] === LF ? '\r\n' : '\r'
}
