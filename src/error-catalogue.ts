// Data of the error catalogue: code -> status, title, and the text for people. The problems of single
// rows are in row-problem-catalogue.ts.
// Each text says what is wrong and how to mend it; `{name}` is filled in from the arguments.
// Add a code here and to docs/errors.md; a test holds the two together.

import { tellingErrors } from './telling-error-catalogue.ts'

interface OperationError {
  status: number
  title: string
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
  record_busy: {
    status: 503,
    title: 'Record in use',
    message: 'An import or undo that has not ended is writing the same record. Try again later.'
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
  not_acceptable: {
    status: 406,
    title: 'No such form of answer',
    message: 'The Accept header asks for {accept}; this route answers {offered}.'
  },
  too_many_streams: {
    status: 503,
    title: 'Too many event streams',
    message:
      'This server already has {limit} event streams open, or is about to stop. Ask for the import itself meanwhile, or come again later.'
  },
  idempotency_key_in_use: {
    status: 409,
    title: 'Request still running',
    message: 'A request with the Idempotency-Key "{key}" is still running. Ask again in a moment.'
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key used before',
    message:
      'The Idempotency-Key "{key}" belongs to another request ({request}). Send a new key, or that request as it was.'
  },
  // uploads
  not_multipart: {
    status: 415,
    title: 'Multipart form needed',
    message:
      'Send the file as a form (multipart/form-data) with a part named "file", or as the body with Content-Type text/csv.'
  },
  content_encoding_unsupported: {
    status: 415,
    title: 'Content-Encoding not supported',
    message:
      'A body with Content-Encoding "{found}" cannot be read here. Send a form without one, or the file as the body, as it is or with gzip.'
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
    message:
      'The form has neither a part named "file" with a file name nor a field "text" with rows.'
  },
  too_many_files: {
    status: 400,
    title: 'More than one file',
    message: 'Send exactly one file, or one field "text", for each import.'
  },
  unknown_option: {
    status: 400,
    title: 'Unknown option',
    message: 'There is no option "{option}". Known options: {known}.'
  },
  invalid_option: {
    status: 400,
    title: 'Option not valid',
    message: 'Option "{option}"{said} {expected}'
  },
  too_large: {
    status: 413,
    title: 'File too large',
    message:
      'The file has {found} bytes; the limit is {limit} bytes. Nothing was kept. Split the file.'
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
  encoding_mismatch: {
    status: 422,
    title: 'Not in the named encoding',
    message:
      'The file has bytes that mean nothing in {encoding}. Name the encoding that it was saved with.'
  },
  gzip_invalid: {
    status: 422,
    title: 'gzip data damaged',
    message: 'The gzip data is damaged or cut off and cannot be unpacked. Pack the file again.'
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
  too_many_rows: {
    status: 422,
    title: 'Too many rows',
    message: 'The file has {found} data rows; the limit for {type} is {limit}. Split the file.'
  },
  too_many_imports: {
    status: 429,
    title: 'Too many imports at a time',
    message:
      '{found} imports of this account are queued, running or paused; the limit is {limit}. Try again when some have ended.'
  },
  nothing_to_retry: {
    status: 409,
    title: 'Nothing to retry',
    message: 'Import {id} has nothing that a retry would change: {reason}.'
  },
  another_import_running: {
    status: 409,
    title: 'Another import is not finished',
    message:
      '{type} take {limit} unfinished import(s) at a time and {found} are queued or running. Wait until one has ended, then send the file again.'
  },
  type_invalid: {
    status: 422,
    title: 'Record type not valid',
    message: 'The definition makes no sense: {reason}'
  },
  type_conflict: {
    status: 409,
    title: 'Record type in the way',
    message: '{reason}'
  },
  profile_not_found: {
    status: 404,
    title: 'Import profile not found',
    message: 'There is no import profile "{profile}" in this account.'
  },
  profile_conflict: {
    status: 409,
    title: 'Name taken',
    message: 'There is already an import profile "{profile}". Change it, or choose another name.'
  },
  profile_stale: {
    status: 409,
    title: 'Import profile out of date',
    message: 'The import profile "{profile}" no longer fits {type}: {reason} Save it anew.'
  },
  record_type_changed: {
    status: 409,
    title: 'Record type changed',
    message:
      'The record type {type} has changed since the file was sent: {reason} Change the mapping of the draft, or send the file again.'
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    message: '{reason}'
  },
  secret_key_missing: {
    status: 503,
    title: 'Secret cannot be read',
    message:
      'The secret was encrypted with key "{key}", which is not among MUSTER_SECRET_KEYS. Add that key again.'
  },
  secret_unreadable: {
    status: 503,
    title: 'Secret cannot be read',
    message:
      'What was encrypted with key "{key}" cannot be read with the key of that id: the key is another one, or the encrypted text was changed.'
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
  version_not_found: {
    status: 404,
    title: 'Version not found',
    message: 'Record {id} has no version {version}, or what it was then is no longer kept.'
  },
  version_conflict: {
    status: 409,
    title: 'Record has changed',
    message:
      'Record {id} has version {found} by now, not {expected}: somebody changed it in between.'
  },
  restore_conflict: {
    status: 409,
    title: 'Version cannot be restored',
    message: 'Version {version} of record {id} cannot be brought back as it was: {reasons}'
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
  already_applied: {
    status: 409,
    title: 'Applied already',
    message: 'The dry run {id} was applied already, by import {applied_by}. Make a new dry run.'
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
  ...tellingErrors,
  rows_gone: {
    status: 410,
    title: 'Outcomes no longer stored',
    message:
      'The outcomes of the rows of import {id} were dropped on {day}: they are kept for a time only. The counts of the import stay.'
  },
  history_gone: {
    status: 410,
    title: 'History no longer stored',
    message:
      'History of the time in which import {id} ran was dropped on {day}: it is kept for a time only, and nothing can be taken back without it.'
  },
  nothing_to_undo: {
    status: 409,
    title: 'Nothing to take back',
    message: 'Import {id} wrote nothing that could be taken back: {reason}'
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

export const operationErrors: Record<keyof typeof operation, OperationError> = operation
