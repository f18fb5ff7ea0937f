// Shapes of the options of an import: as text in forms and queries, as JSON in drafts and profiles.
// One description for both. Used by request-schemas.ts, schemas.ts and profiles/schemas.ts.

import { type TSchema, Type } from 'typebox'
import { maxAddresses } from '../email-address.ts'
import { nullable, oneOf } from '../platform/http-schemas.ts'
import { blankPolicies, onMissingPolicies, updatePolicies } from '../record-types/types.ts'
import { modes, pushPolicies, repeatPolicies, similarPolicies } from './terms.ts'

const texts = {
  mode: 'Whether rows may create records, change them, or both.',
  dry_run:
    'true: everything is done but written. The outcomes say what would become of each row; ' +
    'POST /imports/{id}/apply then does exactly that.',
  allow_partial: 'false: when one row is rejected, nothing is written at all.',
  organization: 'Id or exact name of the one organization of the whole file; it must exist.',
  mapping:
    'Header to field name, or to null to ignore the column. Columns that are not named are mapped ' +
    'as suggested. `external_ids.connectwise` is the id that the record has in the system of that ' +
    'name, for every record type (docs/links.md).',
  delimiter: 'The character between cells: one ASCII character such as `;`, or `tab`.',
  encoding:
    'What the file is written in, such as `windows-1252`, `shift_jis` or `utf-16le`; it is ' +
    'converted to UTF-8. A byte order mark in the file is surer and wins.',
  blank:
    'What a blank cell does to a record that exists. overwrite: it clears the field; keep: nothing; ' +
    'default: the field gets its default again. A column that is absent changes nothing, and a ' +
    'blank cell never clears a secret.',
  clear_marker: 'A cell that is exactly this clears its field, whatever `blank` says.',
  repeats:
    'What happens to a second row about one record. reject: it is rejected (rows with the same ' +
    'external id that agree are folded into one record); merge: it is applied in file order.',
  similar:
    'What happens to a row that would create something very like what exists: a warning, an error, ' +
    'or nothing.',
  update:
    'By list or long text field: whether the cell replaces what the record has, or is appended.',
  separators: 'By list field: what stands between its values in a cell.',
  on_missing:
    'By reference field: what happens when a name is unknown. create: the record is made; fail: ' +
    'the row is rejected; ignore: the field stays empty, with a warning.',
  default_country:
    'ISO 3166-1 code of the country that phone numbers without + and country code are of.',
  require_external_id:
    'With mode update_only: rows are found by their external id only, or their id in another ' +
    'system; every row must have one.',
  callback_url:
    'An address that is told of this import, of the one that applies it (dry run) and of its undos and ' +
    'redos (events import.*, signed): the short way to a webhook. It must be public; see docs/webhooks.md.',
  callback_secret:
    'What is sent to `callback_url` is signed with it: `whsec_` and 24 to 64 bytes in base64. Left ' +
    'out: one is made, and shown once in the answer (`callback.secret`).',
  notify_emails: 'Addresses that get a mail when the import has ended, at most 20.',
  push:
    'Which records events tell of (record.created, record.updated) when the import has ended. none: ' +
    'they are held until POST /imports/{id}/push.'
}

const byField = <T extends TSchema>(value: T, description: string) =>
  Type.Record(Type.String(), value, { description })

const marker = Type.String({
  // Cells are compared without the blanks around them.
  pattern: '^\\S(.*\\S)?$',
  maxLength: 100,
  description: texts.clear_marker
})
const country = Type.String({ pattern: '^[A-Za-z]{2}$', description: texts.default_country })

/** How rows are treated and who is told; shown by imports, and changed in drafts. */
export const rowOptions = {
  blank: oneOf(blankPolicies, texts.blank),
  clear_marker: nullable(marker, `${texts.clear_marker} null: there is none.`),
  repeats: oneOf(repeatPolicies, texts.repeats),
  similar: oneOf(similarPolicies, texts.similar),
  update: byField(oneOf(updatePolicies, 'replace or append.'), texts.update),
  separators: byField(Type.String({ description: 'The separator.' }), texts.separators),
  on_missing: byField(oneOf(onMissingPolicies, 'create, fail or ignore.'), texts.on_missing),
  default_country: nullable(country, `${texts.default_country} null: they stay as written.`),
  require_external_id: Type.Boolean({ description: texts.require_external_id }),
  notify_emails: Type.Array(Type.String({ maxLength: 254, description: 'An e-mail address.' }), {
    maxItems: maxAddresses,
    description: texts.notify_emails
  }),
  push: oneOf(pushPolicies, texts.push)
}

/** All options in JSON but the mapping, as changes and profiles take them. */
export const jsonOptions = {
  mode: Type.Optional(oneOf(modes, texts.mode)),
  dry_run: Type.Optional(Type.Boolean({ description: texts.dry_run })),
  allow_partial: Type.Optional(Type.Boolean({ description: texts.allow_partial })),
  organization: Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      maxLength: 300,
      description: `${texts.organization} null: from a column.`
    })
  ),
  blank: Type.Optional(rowOptions.blank),
  clear_marker: Type.Optional(rowOptions.clear_marker),
  repeats: Type.Optional(rowOptions.repeats),
  similar: Type.Optional(rowOptions.similar),
  update: Type.Optional(rowOptions.update),
  separators: Type.Optional(rowOptions.separators),
  on_missing: Type.Optional(rowOptions.on_missing),
  default_country: Type.Optional(rowOptions.default_country),
  require_external_id: Type.Optional(rowOptions.require_external_id),
  notify_emails: Type.Optional(rowOptions.notify_emails),
  push: Type.Optional(rowOptions.push)
}

/** How a file is read, in JSON. */
export const fileOptions = {
  delimiter: Type.Optional(
    Type.String({ minLength: 1, maxLength: 3, description: `${texts.delimiter} Absent: detected.` })
  ),
  encoding: Type.Optional(
    Type.String({ minLength: 1, maxLength: 40, description: `${texts.encoding} Absent: UTF-8.` })
  )
}

/** Who is told of imports, in JSON. */
export const tellOptions = {
  callback_url: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2_000, description: texts.callback_url })
  )
}

/** A header -> field mapping in JSON. */
export const mappingSchema = (description: string = texts.mapping) =>
  // A list of types, not a union: the validator would take null for a blank text.
  Type.Record(Type.String(), nullable(Type.String(), 'Field name, or null.'), { description })

const text = (description: string) => Type.Optional(Type.String({ default: '', description }))
const choice = (values: readonly string[], description: string, byDefault?: string) =>
  Type.Optional(
    Type.Unsafe<string>({
      type: 'string',
      enum: [...values],
      ...(byDefault !== undefined && { default: byDefault }),
      description
    })
  )

/** All options as text: parts of a form, or parameters of the query. A blank one counts as not given;
 *  the defaults make the form on /docs start that way. */
export const textOptions = {
  type: Type.Optional(
    Type.String({
      description:
        'Name of the record type; see GET /record-types. A `profile` may say it instead.',
      examples: ['contacts']
    })
  ),
  profile: text(
    'Name of an import profile: its choices apply where nothing else is said. Blank: none.'
  ),
  mode: choice(modes, texts.mode, 'create_and_update'),
  dry_run: Type.Optional(Type.Boolean({ default: false, description: texts.dry_run })),
  allow_partial: Type.Optional(Type.Boolean({ default: true, description: texts.allow_partial })),
  organization: text(`${texts.organization} Blank: from a column.`),
  mapping: text(`JSON object, such as \`{"E-Mail":"emails","Fax":null}\`. ${texts.mapping}`),
  delimiter: text(`${texts.delimiter} Blank: detected.`),
  encoding: text(`${texts.encoding} Blank: UTF-8.`),
  blank: choice(blankPolicies, `${texts.blank} Left out: as the record type has it.`),
  clear_marker: text(`${texts.clear_marker} \`none\`: there is none. Blank: \`__CLEAR__\`.`),
  repeats: choice(repeatPolicies, texts.repeats, 'reject'),
  similar: choice(similarPolicies, texts.similar, 'warn'),
  update: text(`JSON object, such as \`{"tags":"append"}\`. ${texts.update}`),
  separators: text(`JSON object, such as \`{"emails":";"}\`. ${texts.separators}`),
  on_missing: text(`JSON object, such as \`{"organization":"fail"}\`. ${texts.on_missing}`),
  default_country: text(`${texts.default_country} Blank: they stay as written.`),
  require_external_id: Type.Optional(
    Type.Boolean({ description: `${texts.require_external_id} Left out: as the type has it.` })
  ),
  notify_emails: text(
    `${texts.notify_emails} Separated by commas; \`none\`: nobody, whatever the profile says.`
  ),
  push: choice(pushPolicies, texts.push, 'none'),
  start: Type.Optional(
    Type.Boolean({ default: true, description: 'false: stay a draft until it is started.' })
  ),
  callback_url: text(`${texts.callback_url} Blank: nobody.`),
  callback_secret: text(texts.callback_secret)
}
