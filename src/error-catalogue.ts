// Data of the error catalogue: code -> status or severity, and the text for people.
// Each text says what is wrong and how to mend it; `{name}` is filled in from the arguments.
// Add a code here and to docs/errors.md; a test holds the two together.

interface OperationError {
  status: number
  title: string
  message: string
}

interface RowProblem {
  severity: 'error' | 'warning'
  message: string
}

const operation = {
  // requests
  validation_failed: {
    status: 400,
    title: 'Request not valid',
    message: '{reason}'
  },
  unauthorized: {
    status: 401,
    title: 'API key needed',
    message: 'Send a valid API key as "Authorization: Bearer <key>".'
  },
  not_found: { status: 404, title: 'Not found', message: 'There is nothing at {path}.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    message: '{method} is not possible at {path}.'
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    message: 'Something went wrong on our side. The log has it under request {request}.'
  },
  database_unavailable: {
    status: 503,
    title: 'Database not reachable',
    message: 'The database does not answer right now. Try again in a few seconds.'
  },
  query_timeout: {
    status: 503,
    title: 'Answer took too long',
    message:
      'The database needed too long for this question. Narrow it with filters, or ask for fewer rows.'
  },
  storage_unavailable: {
    status: 503,
    title: 'Upload could not be stored',
    message: 'The disk for uploads is full or not writable. Nothing was kept. Try again later.'
  },
  body_too_large: {
    status: 413,
    title: 'Request body too large',
    message: 'The request body is larger than this route takes.'
  },
  unsupported_media_type: {
    status: 415,
    title: 'Media type not supported',
    message: 'This route does not take that content type. Send application/json.'
  },
  // uploads
  not_multipart: {
    status: 415,
    title: 'Multipart form needed',
    message: 'Send the file as multipart/form-data with a part named "file".'
  },
  malformed_multipart: {
    status: 400,
    title: 'Upload not readable',
    message: 'The multipart body is cut off or malformed: {reason}. Nothing was kept.'
  },
  upload_stalled: {
    status: 408,
    title: 'Upload stalled',
    message: 'The upload made no progress for {seconds} seconds and was ended. Nothing was kept.'
  },
  file_missing: {
    status: 400,
    title: 'File missing',
    message: 'The form has no part named "file" with a file name.'
  },
  too_many_files: {
    status: 400,
    title: 'More than one file',
    message: 'Send exactly one file for each import.'
  },
  unknown_option: {
    status: 400,
    title: 'Unknown option',
    message: 'There is no option "{option}". Known options: {known}.'
  },
  invalid_option: {
    status: 400,
    title: 'Option not valid',
    message: 'Option "{option}" is "{value}". {expected}'
  },
  too_large: {
    status: 413,
    title: 'File too large',
    message: 'The file is larger than the limit of {limit} bytes. Nothing was kept. Split the file.'
  },
  empty_file: { status: 422, title: 'File is empty', message: 'The file has no content.' },
  no_rows: {
    status: 422,
    title: 'File has no data rows',
    message: 'The file has a header but no data row below it.'
  },
  not_csv: {
    status: 422,
    title: 'Not a CSV file',
    message: 'The content looks like {found}, not like CSV text. Export the table as CSV (UTF-8).'
  },
  encoding_unsupported: {
    status: 422,
    title: 'Encoding not supported',
    message: 'The file is encoded as {found}. Save it as UTF-8 and send it again.'
  },
  encoding_invalid: {
    status: 422,
    title: 'Not valid UTF-8',
    message:
      'Line {line} has a byte that is not valid UTF-8 (byte {byte} of the file). Save the file as UTF-8.'
  },
  header_missing: {
    status: 422,
    title: 'Header missing',
    message: 'The first line must name the columns. {reason}'
  },
  header_invalid: {
    status: 422,
    title: 'Header not usable',
    message: 'The header row cannot be used: {reason}'
  },
  too_many_columns: {
    status: 422,
    title: 'Too many columns',
    message: 'The header has {found} columns; the limit is {limit}.'
  },
  // mapping and record types
  unknown_record_type: {
    status: 422,
    title: 'Unknown record type',
    message: 'There is no record type "{type}". Known types: {known}.'
  },
  mapping_invalid: {
    status: 422,
    title: 'Mapping not valid',
    message: '{reason}'
  },
  required_column_unmapped: {
    status: 422,
    title: 'Required field not mapped',
    message:
      'No column is mapped to the required field(s) {fields}. Add the column or map one to it.'
  },
  organization_not_found: {
    status: 422,
    title: 'Organization not found',
    message:
      'There is no organization "{organization}". Give the id or the exact name of an existing one.'
  },
  organization_ambiguous: {
    status: 422,
    title: 'Several organizations',
    message: 'Several organizations are named "{organization}". Give the id of the one you mean.'
  },
  // imports and records
  import_not_found: {
    status: 404,
    title: 'Import not found',
    message: 'There is no import {id} in this account.'
  },
  record_not_found: {
    status: 404,
    title: 'Record not found',
    message: 'There is no record {id} in this account.'
  },
  record_type_not_found: {
    status: 404,
    title: 'Record type not found',
    message: 'There is no record type "{type}". Known types: {known}.'
  },
  import_state_conflict: {
    status: 409,
    title: 'Not possible in this state',
    message: 'Import {id} is {state}; {action} is only possible while it is {allowed}.'
  },
  invalid_cursor: {
    status: 400,
    title: 'Cursor not valid',
    message: 'The cursor is not one that this list gave out. Start without a cursor.'
  },
  upload_gone: {
    status: 410,
    title: 'Upload no longer stored',
    message: 'The uploaded file is no longer stored. Send it again as a new import.'
  },
  rows_rejected: {
    status: 422,
    title: 'Nothing was imported',
    message:
      'At least one row was rejected and partial imports are not allowed, so nothing was written. The rejected rows say why.'
  },
  no_progress: {
    status: 500,
    title: 'Import stopped',
    message: 'The import made no progress in {attempts} attempts and was given up.'
  }
} as const satisfies Record<string, OperationError>

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
    message: '{field} is required and the cell is empty.'
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
  row_failed: {
    severity: 'error',
    message:
      'The row could not be written for a reason on our side ({reason}). It is safe to send it again.'
  }
} as const satisfies Record<string, RowProblem>

export const operationErrors: Record<keyof typeof operation, OperationError> = operation
export const rowProblems: Record<keyof typeof row, RowProblem> = row
