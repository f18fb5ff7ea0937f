// Data of the catalogue of row problems: code -> severity, and the text for people.
// Each text says what is wrong and how to mend it; `{name}` is filled in from the arguments.
// Add a code here and to docs/errors.md; a test holds the two together.

interface RowProblem {
  severity: 'error' | 'warning'
  message: string
}

const row = {
  // reading
  column_count: {
    severity: 'error',
    message:
      'The row has {found} cells, the header has {expected}. Check for a missing or stray delimiter or quote.'
  },
  stray_quote: {
    severity: 'error',
    message:
      'A quote inside the row is not closed or not doubled. Put the cell in quotes and write a quote as "".'
  },
  open_quote: {
    severity: 'error',
    message: 'A quote is opened here and never closed. Close it, or write a literal quote as "".'
  },
  row_too_large: {
    severity: 'error',
    message: 'The row is longer than the limit of {limit} bytes.'
  },
  encoding_invalid_row: {
    severity: 'error',
    message:
      'The row has a byte that is not valid UTF-8 (byte {byte} of the file). Save the file as UTF-8.'
  },
  nul_byte: {
    severity: 'error',
    message: 'The row has a NUL byte, which text cannot hold. Remove it.'
  },
  replacement_character: {
    severity: 'warning',
    message:
      'The cell has a replacement character (U+FFFD): letters were lost when the file was saved earlier.'
  },
  // cells
  required_missing: {
    severity: 'error',
    message: '{field} is required for a new record and the cell is empty.'
  },
  value_too_long: {
    severity: 'error',
    message: '{field} has {found} characters; the limit is {limit}.'
  },
  line_break: {
    severity: 'error',
    message: '{field} is a single line and the cell has a line break. Remove the line break.'
  },
  invalid_email: {
    severity: 'error',
    message: '"{value}" is not an e-mail address. Write it like name@example.com.'
  },
  invalid_phone: {
    severity: 'error',
    message: '"{value}" is not a phone number. Write digits, with + and country code in front.'
  },
  invalid_url: {
    severity: 'error',
    message: '"{value}" is not a web address. Write it like https://example.com.'
  },
  invalid_host: {
    severity: 'error',
    message: '"{value}" is not a host or domain name. Write it like example.com.'
  },
  invalid_boolean: {
    severity: 'error',
    message: '"{value}" is neither true nor false. Write true or false, Yes or No, 1 or 0.'
  },
  invalid_percent: {
    severity: 'error',
    message: '"{value}" is not a percentage. Write a number with or without %.'
  },
  invalid_ip: {
    severity: 'error',
    message: '"{value}" is not an IP address. Write it like 192.0.2.10 or 2001:db8::10.'
  },
  invalid_mac: {
    severity: 'error',
    message:
      '"{value}" is not one MAC address. Write 12 hexadecimal digits, like 00:1A:2B:3C:4D:5E.'
  },
  clear_marker_in_list: {
    severity: 'error',
    message:
      '{field} has "{value}" among other values. It clears the field only where it is the whole cell; take one or the other out.'
  },
  invalid_json: {
    severity: 'error',
    message:
      '{field} is not JSON that can be kept. Write it like [{"name": "eth0"}]; null alone, more than 30 levels, NUL and half characters are not taken.'
  },
  invalid_format: {
    severity: 'error',
    message: '"{value}" is not in the form that {field} has: {expected}.'
  },
  label_instead_of_tag: {
    severity: 'error',
    message: '"{value}" is the label of an option of {field}. Write its tag: {tag}.'
  },
  executable_content: {
    severity: 'error',
    message:
      '{field} looks like a formula or a script, which files of this type may not hold. Remove it.'
  },
  invalid_number: {
    severity: 'error',
    message: '"{value}" is not a number. Write digits with a dot for decimals.'
  },
  invalid_date: {
    severity: 'error',
    message: '"{value}" is not a date of the calendar. Write it as yyyy-mm-dd.'
  },
  invalid_datetime: {
    severity: 'error',
    message: '"{value}" is not a date and time. Write it like 2026-01-31T09:30:00Z.'
  },
  invalid_enum: {
    severity: 'error',
    message: '"{value}" is not one of the values of {field}: {options}.'
  },
  invalid_id: {
    severity: 'error',
    message:
      '"{value}" is not a record id. Ids are whole numbers; leave the cell empty for a new record.'
  },
  // matching
  unknown_id: {
    severity: 'error',
    message:
      'There is no record with the id {value}. Correct the id or leave it empty to create a record.'
  },
  ambiguous_match: {
    severity: 'error',
    message:
      'Several existing records match by {rule}. Add an id or external id that names one of them.'
  },
  identity_conflict: {
    severity: 'error',
    message:
      'The values of this row belong to different existing records. Correct them so that all name the same record.'
  },
  unknown_reference: {
    severity: 'error',
    message: '{field} "{value}" does not exist. Create it first or correct the name.'
  },
  reference_ignored: {
    severity: 'warning',
    message: '{field} "{value}" does not exist; the field was left empty.'
  },
  ambiguous_reference: {
    severity: 'error',
    message: '{field} "{value}" fits several records. Use the id of the one you mean.'
  },
  scope_missing: {
    severity: 'error',
    message:
      '{field} "{value}" can only be found together with {within}. Fill that cell, or give an id.'
  },
  similar_exists: {
    severity: 'warning',
    message:
      '{field} "{value}" is new, but something very like it exists. Write it exactly so if that is meant.'
  },
  similar_refused: {
    severity: 'error',
    message:
      '{field} "{value}" is not known, but something very like it exists. Write it exactly so, or allow similar ones.'
  },
  duplicate_in_file: {
    severity: 'error',
    message:
      'An earlier row of the file is about the same record (found by {rule}). Keep one of them, or send the file with repeats=merge.'
  },
  conflicting_duplicate_rows: {
    severity: 'error',
    message:
      'An earlier row of the file has the same external id and other values in: {fields}. Rows of one record must agree in all single-valued columns.'
  },
  folded_into_record: {
    severity: 'warning',
    message:
      'The row was added to the record that an earlier row of the file with the same external id is about.'
  },
  // rules across fields
  required_cleared: {
    severity: 'error',
    message: '{field} is required and cannot be cleared. Fill the cell.'
  },
  immutable_field: {
    severity: 'error',
    message:
      '{field} cannot be changed once the record exists; it is "{current}". Correct the cell.'
  },
  linked_elsewhere: {
    severity: 'error',
    message:
      'The record that the row was found to be about is "{current}" in {system}, not "{value}". Correct the cell, or have the link changed.'
  },
  shared_field_differs: {
    severity: 'error',
    message: '{field} belongs to another {shared}. Choose one that has the same {shared}.'
  },
  role_restriction_conflict: {
    severity: 'error',
    message: 'The ticket restriction "{restriction}" cannot be given to the role {role}. {expected}'
  },
  restriction_missing: {
    severity: 'error',
    message: 'The role {role} needs a ticket restriction. Fill in one of {options}.'
  },
  restriction_ignored: {
    severity: 'warning',
    message:
      'The ticket restriction "{restriction}" means nothing for the role {role}; it was left out.'
  },
  unusual_restriction: {
    severity: 'warning',
    message: 'The ticket restriction "{restriction}" is unusual for the role {role}.'
  },
  group_for_end_user: {
    severity: 'error',
    message: 'End users cannot be in groups. Clear the cell, or change the role.'
  },
  custom_role_for_end_user: {
    severity: 'error',
    message: 'Custom roles are for team members. Clear the cell, or change the role.'
  },
  identity_missing: {
    severity: 'error',
    message: 'A new record needs {fields}: without them it could never be found again.'
  },
  external_id_missing: {
    severity: 'error',
    message: 'This import only updates records found by external id, and the cell is empty.'
  },
  sample_row: {
    severity: 'warning',
    message: 'This is the sample row of the template; it was left out. Delete it from the file.'
  },
  // deciding
  exists_already: {
    severity: 'warning',
    message: 'The record exists already and the import only creates records.'
  },
  not_found_for_update: {
    severity: 'warning',
    message: 'No existing record matches and the import only updates records.'
  },
  all_or_nothing: {
    severity: 'warning',
    message:
      'Nothing was written, because other rows of the file were rejected and partial imports are not allowed.'
  },
  drifted: {
    severity: 'error',
    message:
      'The row was left out because it is not what the dry run showed any more: {difference} Make a new dry run.'
  },
  row_failed: {
    severity: 'error',
    message:
      'The row could not be written for a reason on our side ({reason}). It is safe to send it again.'
  },
  // undo
  changed_since: {
    severity: 'warning',
    message: '{field} was changed since by {by}, and stays as it is.'
  },
  brought_back: {
    severity: 'warning',
    message: 'The record was brought back since by {by}, and stays as it is.'
  },
  record_gone: {
    severity: 'warning',
    message: 'The record is gone: it was deleted by {by}.'
  },
  referred_to: {
    severity: 'warning',
    message:
      '{count} record(s) refer to it, such as {value} by {by}. Without it they would be wrong.'
  },
  syncing: {
    severity: 'warning',
    message: 'The record is linked to {value} and stays: what is synced is not deleted.'
  },
  reference_gone: {
    severity: 'warning',
    message: '{field} was record {records}, which is gone; it stays as it is.'
  },
  identity_taken: {
    severity: 'warning',
    message: 'Record {records} has the same {fields} by now; the record stays as it is there.'
  },
  option_gone: {
    severity: 'warning',
    message: '{field} was "{value}", which is no option of it any more; it stays as it is.'
  },
  value_unfit: {
    severity: 'warning',
    message: '{field} was "{value}", and takes only {expected} now; it stays as it is.'
  },
  required_since: {
    severity: 'warning',
    message: '{field} had no value then, and is required now; the record stays as it is.'
  },
  was_secret: {
    severity: 'warning',
    message: '{field} was a secret then, and is none now; it stays as it is.'
  },
  undo_failed: {
    severity: 'error',
    message:
      'The record could not be taken back for a reason on our side ({reason}). Take the rest back with another undo.'
  },
  history_missing: {
    severity: 'error',
    message: 'What the record was before is no longer kept, so that it stays as it is.'
  }
} as const satisfies Record<string, RowProblem>

export const rowProblems: Record<keyof typeof row, RowProblem> = row
