// How requests are checked against the schemas of their route. Texts of paths and queries become the
// numbers and booleans that the schema asks for; a JSON body has types of its own and is taken at its
// word: `{"dry_run": null}` must not pass as false. Called by app.ts.

import AjvCompiler from '@fastify/ajv-compiler'

type Factory = AjvCompiler.BuildCompilerFromPool
type Compile = ReturnType<Factory>

/** Fastify's own validators: one for bodies, and one for the rest. */
export function buildValidator(...[schemas, options]: Parameters<Factory>): Compile {
  const factory = AjvCompiler()
  const customOptions = { ...options?.customOptions, coerceTypes: false }
  const strict = factory(schemas, { ...options, customOptions } as typeof options)
  const lenient = factory(schemas, options)
  // Fastify hands over the route with its schema, whatever the type says.
  const choose = (route: Parameters<Compile>[0]) => {
    const { httpPart } = route as unknown as AjvCompiler.RouteDefinition
    return (httpPart === 'body' ? strict : lenient)(route)
  }
  return choose
}
