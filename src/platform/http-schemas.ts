// Building blocks of route schemas: nullable values, pages, and the problem answers of a route.
// TypeBox in, TypeBox out; everything here ends up in the OpenAPI document.

import { type Static, type TProperties, type TSchema, Type } from 'typebox'
import { operationErrors } from '../error-catalogue.ts'
import type { OperationErrorCode } from '../errors.ts'

/** A string out of a fixed list, as one `enum` instead of a union of constants. */
export function oneOf<T extends string>(values: readonly T[], description: string) {
  return Type.Unsafe<T>({ type: 'string', enum: [...values], description })
}

/** The schema or null, written as a type list where the schema has a plain type. */
export function nullable<T extends TSchema>(schema: T, description: string) {
  const { type, enum: values, ...rest } = schema as { type?: string; enum?: unknown[] }
  const either = type
    ? { ...rest, type: [type, 'null'], ...(values && { enum: [...values, null] }) }
    : { anyOf: [schema, { type: 'null' }] }
  return Type.Unsafe<Static<T> | null>({ ...either, description })
}

/** A response object whose properties are all there, and no others. */
export function answer<T extends TProperties>(properties: T, options: object) {
  return Type.Object(properties, { additionalProperties: false, ...options })
}

/** Refers to a schema that app.ts adds under its `$id`; keeps its static type. */
export function ref<T extends TSchema>(schema: T) {
  const { $id } = schema as { $id?: string }
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` })
}

/** A time as it is sent: ISO 8601 in UTC. */
export const time = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-01-31T09:30:00.000Z'] })

/** Query parameters of every list. */
export const pageQuery = {
  cursor: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'Where to go on: `next_cursor` of the page before.'
    })
  ),
  limit: Type.Integer({
    minimum: 1,
    maximum: 500,
    default: 100,
    description: 'Most items in the answer.'
  })
}

/** A page of a list: its items and where the next page begins. */
export function page<T extends TSchema>(item: T, $id: string, description: string) {
  return answer(
    {
      data: Type.Array(ref(item), { description: 'The items of this page.' }),
      next_cursor: nullable(Type.String(), 'Cursor of the next page; null on the last one.')
    },
    { $id, description }
  )
}

/** Media type of every failure's body. */
export const problemType = 'application/problem+json'

/** The body of every failure. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      format: 'uri-reference',
      description: 'Page that explains the code, relative to this service.',
      examples: ['/docs/errors#validation_failed']
    }),
    title: Type.String({
      description: 'The kind of problem in a few words.',
      examples: ['Request not valid']
    }),
    status: Type.Integer({ description: 'The HTTP status.', examples: [400] }),
    detail: Type.String({
      description: 'What is wrong this time and how to mend it.',
      examples: ['query/limit must be <= 500.']
    }),
    code: oneOf(Object.keys(operationErrors) as OperationErrorCode[], 'Code to act on.'),
    instance: Type.String({
      description: 'Id of the request, as it is in the log.',
      examples: ['0b8e5b0e-6f0f-4f3c-9d0a-3c1f5d6f6c3e']
    }),
    errors: Type.Optional(
      Type.Array(
        Type.Object(
          {
            path: Type.String({ description: 'Where the fault is.', examples: ['query/limit'] }),
            message: Type.String({
              description: 'What is wrong there.',
              examples: ['must be <= 500']
            })
          },
          { description: 'One fault.' }
        ),
        { description: 'Every fault of the request (validation_failed only).' }
      )
    ),
    details: Type.Optional(
      Type.Unknown({ description: 'More about the problem; its shape depends on the code.' })
    )
  },
  { $id: 'Problem', description: 'A problem document (RFC 9457).' }
)

export type ProblemDocument = Static<typeof ProblemSchema>
/** One fault of a request: where it is (`query/limit`) and what is wrong with it. */
export type Fault = NonNullable<ProblemDocument['errors']>[number]

// What any route behind the guard may answer.
const common: OperationErrorCode[] = [
  'validation_failed',
  'unauthorized',
  'internal_error',
  'database_unavailable',
  'query_timeout'
]

/** The failure answers of a route: one per status, its description listing the codes. */
export function problems(...codes: OperationErrorCode[]) {
  return problemsOf([...common, ...codes])
}

/** As `problems`, for a route that needs no key and no database. */
export function problemsOf(codes: OperationErrorCode[]) {
  const byStatus = new Map<number, OperationErrorCode[]>()
  for (const code of codes) {
    const { status } = operationErrors[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => [
      status,
      {
        description: those.map((code) => `\`${code}\`: ${operationErrors[code].title}.`).join(' '),
        content: { [problemType]: { schema: ref(ProblemSchema) } }
      }
    ])
  )
}

/** A success answer in JSON, with the headers that matter. */
export function ok<T extends TSchema>(
  description: string,
  schema: T,
  headers: Record<string, { type: 'string'; description: string }> = {}
) {
  return { description, headers, content: { 'application/json': { schema } } }
}

/** For routes that take no query: whoever gives one may mean something that would not happen. */
export const noQuery = Type.Object({}, { additionalProperties: false })
