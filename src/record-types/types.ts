// What a record type is: plain data that the engine compiles into an import plan.
// Built-in types are files in builtin/; nothing else in the code knows a type by its name.

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** The values of a record, by field name. A field without a value is absent. */
export type RecordData = Record<string, Json>

/** How a cell is read and what it becomes in `data`.
 *  text: one line; textbox: may hold line breaks; everything typed is stored in one normal form. */
export const fieldKinds = [
  'text',
  'textbox',
  'boolean',
  'integer',
  'number',
  'date',
  'datetime',
  'email',
  'phone',
  'url',
  'host',
  'select',
  'reference'
] as const
export type FieldKind = (typeof fieldKinds)[number]

/** What happens when a reference names nothing that exists. */
export type OnMissing = 'create' | 'fail' | 'ignore'

export interface Reference {
  /** Name of the record type referred to. */
  type: string
  /** Name of the match rule of that type which finds the record by the cell's text. */
  rule: string
  on_missing: OnMissing
}

export interface Field {
  /** Key in `data`, in mappings and in JSON; snake_case. */
  name: string
  /** The usual column header. */
  label: string
  /** Other headers that mean this field. */
  aliases: string[]
  kind: FieldKind
  description: string
  /** A new record cannot do without it: its column must be mapped and its cell filled. */
  required: boolean
  /** Several values in one cell, split at the separator; null: one value. */
  many: { separator: string } | null
  /** Value of a new record whose cell is blank or whose column is missing. */
  default?: Json
  /** The allowed values of a select. */
  options?: string[]
  /** Most characters of one value. */
  max_length?: number
  /** Only for kind `reference`. */
  reference?: Reference
}

/** How two spellings of a key are recognised as the same.
 *  exact: NFC and trimmed; folded: also case-insensitive. */
export type KeyFolding = 'exact' | 'folded'

/** One tier of matching: all its fields filled (but see `may_be_blank`), all equal. Tiers are tried in
 *  the order given. */
export interface MatchRule {
  name: string
  /** Number stored in record_keys.rule; never reused for another meaning. */
  code: number
  /** Fields that make up the key. A many-valued field gives one key for each of its values. */
  fields: string[]
  /** Those of them, never the first, whose blank is a value like others: blank equals blank only. */
  may_be_blank?: string[]
  folding: KeyFolding
  /** Identities must all point at the same record; other rules only help when no identity hits. */
  identity: boolean
  /** Where the key is unique: in the whole account or inside the record's organization. */
  scope: 'account' | 'organization'
}

export interface RecordType {
  name: string
  /** Number stored in records.type_id; built-ins have 1-999. */
  type_id: number
  label: string
  description: string
  /** Fields whose values, joined by a space, name the record to people. */
  title_fields: string[]
  /** The reference field that says which organization a record belongs to; null: none. */
  organization_field: string | null
  fields: Field[]
  match_rules: MatchRule[]
}

/** The pseudo-field that every type takes: the record's own id, the first tier of matching. */
export const idField = 'id'
