// What a record type is: plain data that the engine compiles into an import plan.
// Built-in types are files in builtin/, an account's own ones come from the database (store.ts);
// nothing else in the code knows a type by its name.

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** The values of a record, by field name. A field without a value is absent. */
export type RecordData = Record<string, Json>

/** How a cell is read and what it becomes in `data`.
 *  text: one line; textbox: may hold line breaks; everything typed is stored in one normal form.
 *  password: text that is stored encrypted only, whatever `sensitive` says. */
export const fieldKinds = [
  'text',
  'textbox',
  'boolean',
  'integer',
  'number',
  'percent',
  'date',
  'datetime',
  'email',
  'phone',
  'url',
  'host',
  'ip',
  'mac',
  'select',
  'password',
  'reference',
  'json'
] as const
export type FieldKind = (typeof fieldKinds)[number]

/** What happens when a reference names nothing that exists. */
export const onMissingPolicies = ['create', 'fail', 'ignore'] as const
export type OnMissing = (typeof onMissingPolicies)[number]

/** What a blank cell does to a record that exists. overwrite: it clears the field; keep: nothing;
 *  default: the field gets its default again, and is kept when it has none.
 *  In a new record a blank cell gets the field's default whatever the policy. */
export const blankPolicies = ['overwrite', 'keep', 'default'] as const
export type BlankPolicy = (typeof blankPolicies)[number]

/** What the values of a cell do to those a record has: take their place, or join them. */
export const updatePolicies = ['replace', 'append'] as const
export type UpdatePolicy = (typeof updatePolicies)[number]

export interface Reference {
  /** Name of the record type referred to. */
  type: string
  /** Name of the match rule of that type which finds the record by the cell's text. */
  rule: string
  /** A second match rule, asked where the first finds nothing. */
  also?: string
  on_missing: OnMissing
  /** The reference field of *this* type (its organization, a manufacturer) inside which the name is
   *  looked up; the rule's scope in the other type must be meant for it. Absent: account-wide. */
  within?: string
}

/** Texts with a form of their own: hex24 is 24 hexadecimal digits, base32 an OTP secret. */
export const textFormats = ['hex24', 'base32'] as const
export type TextFormat = (typeof textFormats)[number]

export interface Field {
  /** Key in `data`, in mappings and in JSON; snake_case, a custom one may have dots. */
  name: string
  /** The usual column header. */
  label: string
  /** Other headers that mean this field. */
  aliases: string[]
  kind: FieldKind
  description: string
  /** A new record cannot do without it: its column must be mapped and its cell filled. */
  required: boolean
  /** Several values in one cell, split at the separator; null: one value. `sorted`: kept in the
   *  order of the alphabet instead of that of the cell. */
  many: { separator: string; sorted?: boolean } | null
  /** Value of a new record whose cell is blank or whose column is missing; of a reference: the text
   *  that names it, and it is created when it is missing. */
  default?: Json
  /** The allowed values of a select. */
  options?: string[]
  /** What people call an option, by option; never accepted in a cell in its place. */
  option_labels?: Record<string, string>
  /** Most characters of one value. */
  max_length?: number
  /** Only for kind `reference`. */
  reference?: Reference
  /** Stored encrypted, shown to nobody without the permission. */
  sensitive?: boolean
  /** Set when the record is made, and never changed by a row. */
  immutable?: boolean
  /** Made up by us for a new record that brings none. */
  generated?: 'hex24' | 'username' | 'now'
  /** For many-valued fields and texts; absent: replace. */
  on_update?: UpdatePolicy
  format?: TextFormat
  /** A blank cell never clears it, whatever the policy. */
  keeps_blank?: boolean
  /** Dates may also be written YY/MM/DD (00-69 are 20xx). */
  short_dates?: boolean
  /** Phones must be given with + and country code (or the import names a country). */
  strict?: boolean
  /** No two records have the same value: it is an identity. Only for types of an account. */
  unique?: boolean
  /** The cell of the template's sample row; absent: made up from the kind. */
  sample?: string
  /** Shown to people who fill the field in. */
  hint?: string
  /** Shown in lists. */
  show_in_list?: boolean
  /** The date on which the record expires. */
  expiration?: boolean
  /** Added by an account to a built-in type; also found by the header `custom_fields.<name>`. */
  custom?: boolean
  /** The id of the record in that system: a link, and no value. Only while an import runs. */
  system?: string
}

/** How two spellings of a key are recognised as the same.
 *  exact: NFC and trimmed; folded: also case-insensitive; serial: folded, and junk such as `N/A` is
 *  no key at all; loose: letters and digits only, without a company's legal form. */
export const keyFoldings = ['exact', 'folded', 'serial', 'loose'] as const
export type KeyFolding = (typeof keyFoldings)[number]

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
  /** Where the key is unique: in the whole account, inside the record's organization, or inside the
   *  record that a reference field of the type names (models inside their manufacturer). */
  scope: 'account' | 'organization' | { field: string }
  /** A boolean field: while it is true, the record has no key under the rule. */
  unless?: string
  /** Never decides: only there for references, which find the record by it. */
  lookup_only?: boolean
  /** Never decides: a hit only warns that something similar exists (`similar_exists`). */
  suggests?: boolean
  /** Its keys are the ids in that system, among the links. Only while an import runs. */
  system?: string
}

/** How far the rules of a type must agree. first_tier: the first that hits decides, and later
 *  identities must not contradict; all_agree: every rule that hits must hit that same record only. */
export const matchPolicies = ['first_tier', 'all_agree'] as const
export type MatchPolicy = (typeof matchPolicies)[number]

/** What one import of the type may be; absent: only the limits of the configuration. */
export interface TypeLimits {
  max_bytes?: number
  max_rows?: number
  max_columns?: number
  max_row_bytes?: number
  /** Imports of the type that may be queued or running at the same time in an account. */
  max_unfinished?: number
}

/** The record that `reference` names must have the same values as the row's record: by field of
 *  ours, the field of theirs. A value that either lacks is not compared. */
export interface SharedFields {
  reference: string
  fields: Record<string, string>
}

/** What a rule across fields sees: the values a record would have, and what the row says of them. */
export interface RowState {
  /** The record as the row would leave it. */
  after: RecordData
  /** Fields that the row itself gives a value (not defaults). */
  given: ReadonlySet<string>
  /** Whether the row would make a new record. */
  isNew: boolean
}

/** What such a rule finds. `set`: values to put (null: take away) without the row saying so. */
export interface RowFinding {
  problems: { code: string; field: string; args?: Record<string, string> }[]
  set?: RecordData
}

export interface RecordType {
  name: string
  /** Number stored in records.type_id; built-ins have 1-999, an account's own ones 1000 and more. */
  type_id: number
  /** Raised with every change of the definition. */
  version: number
  label: string
  description: string
  /** Fields whose values, joined by a space, name the record to people. */
  title_fields: string[]
  /** The reference field that says which organization a record belongs to; null: none. */
  organization_field: string | null
  fields: Field[]
  match_rules: MatchRule[]
  match_policy: MatchPolicy
  /** What blank cells do unless the import says otherwise. */
  blank: BlankPolicy
  limits: TypeLimits
  /** Updating needs the external id, not just any way to find the record. */
  update_by_external_id?: boolean
  /** Cells that look like formulas or scripts are refused. */
  plain_text_only?: boolean
  shared_fields?: SharedFields[]
  /** Rules across fields. Built-in types only: code, pure. */
  check?: (state: RowState) => RowFinding
}

/** The pseudo-field that every type takes: the record's own id, the first tier of matching. */
export const idField = 'id'
/** Its header in the CSV that we give out. */
export const idLabel = 'Muster ID'

/** Whether the values of a field are secrets: stored encrypted, never shown. */
export function isSensitive(field: Field): boolean {
  return field.kind === 'password' || field.sensitive === true
}
