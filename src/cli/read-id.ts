// An id given on the command line.

import { CliError } from './client.ts'

/** The id as a number. Throws a CliError for anything but a whole number from 1. */
export function readId(text: string): number {
  const id = Number(text)
  if (Number.isSafeInteger(id) && id > 0) return id
  throw new CliError(`"${text}" is not an id: a whole number from 1.`)
}
