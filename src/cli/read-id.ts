// Numbers given on the command line.

import { CliError } from './client.ts'

/** The id as a number. Throws a CliError for anything but a whole number from 1. */
export function readId(text: string): number {
  const id = Number(text)
  if (Number.isSafeInteger(id) && id > 0) return id
  throw new CliError(`"${text}" is not an id: a whole number from 1.`)
}

/** Makes a reader of whole numbers of a range; it throws a CliError for anything else. */
export function readWhole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new CliError(`"${text}" is not a whole number from ${min} to ${max}.`)
  }
}
