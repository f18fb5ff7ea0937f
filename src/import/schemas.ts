// Shapes of the import routes: requests and answers, as TypeBox schemas with a text for every
// property. The OpenAPI document and the types of the handlers both come from here.

import { Type } from 'typebox'
import { answer, nullable, oneOf, page, ref, time } from '../platform/http-schemas.ts'
import { NamedRecordSchema } from '../records/schemas.ts'
import { rowOptions } from './option-schemas.ts'
import { importStates } from './status.ts'
import { modes, shownOutcomes } from './terms.ts'

const count = (description: string) => Type.Integer({ minimum: 0, description })

export const ImportId = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: 2 ** 53 - 1, description: 'Id of the import.' })
})

export const ProblemOfRowSchema = answer(
  {
    severity: oneOf(
      ['error', 'warning'],
      'error: the row was rejected or failed; warning: that is no reason to.'
    ),
    code: Type.String({
      description: 'Code to act on; see /docs/errors.',
      examples: ['invalid_email']
    }),
    column: nullable(Type.String(), 'Header of the column; null: the whole row is meant.'),
    field: nullable(Type.String(), 'Field of the record type; null: the cell belongs to none.'),
    message: Type.String({ description: 'What is wrong and how to mend it.' }),
    value: nullable(Type.String(), 'The cell, cut to 200 characters; null: none or secret.'),
    candidates: Type.Optional(
      Type.Array(
        answer(
          {
            id: nullable(Type.Integer(), 'Id; null: only the dry run would have made the record.'),
            title: Type.String({ description: 'What people call it.' })
          },
          { description: 'A record.' }
        ),
        {
          description:
            'The records that an ambiguous value fits, or that stand in the way of an undo.'
        }
      )
    ),
    by: Type.Optional(
      answer(
        {
          import: nullable(
            answer(
              {
                id: Type.Integer({ description: 'Id of the import.' }),
                file_name: Type.String({ description: 'Name of its file.' })
              },
              { description: 'An import, or an undo.' }
            ),
            'The import that did; null: none.'
          ),
          key: nullable(
            answer(
              {
                id: Type.Integer({ description: 'Id of the key.' }),
                name: Type.String({ description: 'Its name.' })
              },
              { description: 'An API key.' }
            ),
            'The API key that did; null: none.'
          )
        },
        { description: 'Of an undo: who made the change that stands in its way.' }
      )
    )
  },
  { $id: 'RowProblem', description: 'What is wrong with, or noteworthy about, one row.' }
)

const problemList = (description: string) => Type.Array(ref(ProblemOfRowSchema), { description })

export const PreviewSchema = answer(
  {
    columns: Type.Array(
      answer(
        {
          header: Type.String({ description: 'Header of the column.' }),
          field: nullable(Type.String(), 'Field the column feeds now; null: ignored.'),
          suggested: nullable(Type.String(), 'Field suggested for the header; null: none fits.'),
          suggested_by: nullable(
            oneOf(['label', 'key', 'alias', 'folded'], ''),
            'How it was recognised: by label, key or alias as written, or folded (any case and spacing).'
          )
        },
        { description: 'One column.' }
      ),
      { description: 'The columns of the file, in order.' }
    ),
    unmapped_required: Type.Array(Type.String(), {
      description: 'Fields that need a column before the import can start.'
    }),
    rows: Type.Array(
      answer(
        {
          row: Type.Integer({ description: 'Number among the data rows, from 1.' }),
          line: Type.Integer({ description: 'Line of the file on which the row begins, from 1.' }),
          values: Type.Record(Type.String(), Type.Unknown(), {
            description: 'Typed values by field; references as written in the cell.'
          }),
          problems: problemList('What is wrong with the row before it is matched.')
        },
        { description: 'One row, typed and validated.' }
      ),
      { description: 'The first rows of the file, at most 100.' }
    )
  },
  { $id: 'ImportPreview', description: 'What a draft would read from its file.' }
)

/** What changes while an import runs. */
const progress = {
  id: Type.Integer({ description: 'Id of the import.', examples: [1] }),
  state: oneOf(importStates, 'Where the import is in its life; see /docs/states.'),
  counts: answer(
    {
      created: count('Rows that made a new record.'),
      updated: count('Rows that changed a record.'),
      unchanged: count('Rows whose record already says the same.'),
      skipped: count('Rows left out by the mode.'),
      rejected: count('Rows with an error in their data.'),
      failed: count('Rows that could not be written for a reason on our side.'),
      reverted: count('Of an undo: records that are as they were before.'),
      kept: count('Of an undo: records that were left as they are.'),
      not_reached: nullable(count(''), 'Rows not read; null while the number of rows is not known.')
    },
    { description: 'Data rows by outcome; together they are all rows of the file.' }
  ),
  rows: answer(
    {
      done: count('Data rows with an outcome.'),
      total: nullable(count(''), 'Data rows of the file; null until it was read to its end.'),
      per_second: nullable(Type.Number(), 'Speed since the start; null before.'),
      eta_seconds: nullable(count(''), 'Seconds left at this speed; null unless running.')
    },
    { description: 'Progress in rows.' }
  ),
  bytes: answer(
    { done: count('Bytes read.'), total: count('Bytes of the file.') },
    { description: 'Progress in bytes.' }
  )
}

export const ImportProgressSchema = answer(progress, {
  $id: 'ImportProgress',
  description: 'The part of an import that changes while it runs: data of its events.'
})

export const ImportSchema = answer(
  {
    id: progress.id,
    type: Type.String({ description: 'Name of the record type.', examples: ['contacts'] }),
    kind: oneOf(
      ['import', 'undo'],
      'import: rows of a file; undo: takes back what another import wrote, a row for each record.'
    ),
    state: progress.state,
    dry_run: Type.Boolean({
      description: 'Whether it only says what it would do; nothing but its outcomes is written.'
    }),
    mode: oneOf(modes, 'Whether records may be created, changed, or both.'),
    allow_partial: Type.Boolean({
      description: 'Whether good rows are written although others are rejected.'
    }),
    profile: nullable(Type.String(), 'Name of the import profile it was made with; null: none.'),
    options: answer(rowOptions, {
      description: 'How its rows are treated; all options, complete.'
    }),
    organization: nullable(
      ref(NamedRecordSchema),
      'The one organization of the whole file; null: it comes from a column.'
    ),
    file: nullable(
      answer(
        {
          name: Type.String({
            description: 'Name of the file as sent, made safe to show.',
            examples: ['contacts.csv']
          }),
          bytes: count('Size of what is stored: unpacked, and in UTF-8.'),
          sha256: Type.String({
            description: 'SHA-256 of what is stored, in hex.',
            examples: ['8f56688a3fae291b819fd456be1881755daeb8a1fb79038118ca4d6c8442797d']
          }),
          delimiter: Type.String({ description: 'The character between cells.', examples: [','] })
        },
        { description: 'The uploaded file.' }
      ),
      'The uploaded file; null: an undo has none.'
    ),
    columns: Type.Array(
      answer(
        {
          header: Type.String({ description: 'Header of the column.', examples: ['E-Mail'] }),
          field: nullable(Type.String({ examples: ['emails'] }), 'Field it feeds; null: ignored.')
        },
        { description: 'One column.' }
      ),
      { description: 'The mapping: the columns of the file, in order.' }
    ),
    counts: progress.counts,
    rows_with_warnings: count('Rows with at least one warning.'),
    references_created: Type.Record(Type.String(), count('How many.'), {
      description: 'Records of other types created because a row named them, by type.',
      examples: [{ organizations: 3 }]
    }),
    not_pushed: count(
      'Rows that made or changed a record and of which something is left to tell: held until ' +
        'POST /imports/{id}/push.'
    ),
    rows: progress.rows,
    bytes: progress.bytes,
    created_at: time('When the file was accepted.'),
    created_by: nullable(
      answer(
        {
          id: Type.Integer({ description: 'Id of the key.' }),
          name: Type.String({ description: 'Name of the key.' })
        },
        { description: 'An API key.' }
      ),
      'The API key that sent the file.'
    ),
    queued_at: nullable(time(''), 'When it was queued; null: a draft.'),
    started_at: nullable(time(''), 'When a worker first took it; null: not yet.'),
    finished_at: nullable(time(''), 'When it ended; null: not yet.'),
    error: nullable(
      Type.Object(
        {
          code: Type.String({ description: 'Code to act on; see /docs/errors.' }),
          message: Type.String({ description: 'Why the import failed.' })
        },
        { description: 'Why it failed.' }
      ),
      'Why the import failed; null unless state is failed.'
    ),
    applied_from: nullable(Type.Integer(), 'The dry run that this import applies; null: none.'),
    applied_by: nullable(Type.Integer(), 'The import that applied this dry run; null: none did.'),
    undo_of: nullable(Type.Integer(), 'The import that this one takes back; null: it is no undo.'),
    undone_by: nullable(Type.Integer(), 'The latest undo of this import; null: there is none.'),
    expired: answer(
      {
        file: nullable(time(''), 'When the uploaded file was deleted; null: it is still there.'),
        rows: nullable(
          time(''),
          'When the outcomes of its rows were dropped; null: they are still there.'
        ),
        history: nullable(
          time(''),
          'When history of the time in which it ran was first dropped; null: all is still there.'
        )
      },
      { description: 'What of it has had its time and is gone; the counts stay.' }
    ),
    links: answer(
      {
        self: Type.String({ description: 'The import.' }),
        rows: Type.String({ description: 'The outcome of each row.' }),
        rejects: Type.String({ description: 'The rejected rows as CSV.' })
      },
      { description: 'Paths to go on from here.' }
    ),
    earlier_import: Type.Optional(
      nullable(
        Type.Integer(),
        'Newest earlier import of the same content and type; null: none. Not in lists.'
      )
    ),
    callback: Type.Optional(
      answer(
        {
          webhook_id: Type.Integer({ description: 'The endpoint: GET /webhooks/{id}.' }),
          url: Type.String({ description: 'Where it is.' }),
          secret: Type.String({ description: 'What it is signed with; shown only this once.' })
        },
        {
          description: 'Who is told of this import. Only in the answer to the upload that said so.'
        }
      )
    ),
    preview: Type.Optional(
      nullable(
        ref(PreviewSchema),
        'What a draft would read; null: its file is gone. Only for drafts, not in lists.'
      )
    )
  },
  { $id: 'Import', description: 'An import: one file, one record type.' }
)

export const ImportPageSchema = page(ImportSchema, 'ImportPage', 'Imports, newest first.')

export const RowSchema = answer(
  {
    row: Type.Integer({ description: 'Number among the data rows, from 1.' }),
    line: Type.Integer({
      description:
        'Line of the file on which the row begins, from 1. Of an undo: number of the row that was ' +
        'about the record; 0: rows only named it.'
    }),
    outcome: oneOf(shownOutcomes, 'What became of the row; of an undo: of the record.'),
    record_id: nullable(Type.Integer(), 'The record it made, changed or matched; null: none.'),
    type: nullable(Type.String(), 'Record type of that record; null: there is none any more.'),
    title: nullable(
      Type.String(),
      'What that record is called now, or was when it was deleted; null: there is none.'
    ),
    external_id: nullable(Type.String(), 'Its id in the system the data comes from; null: none.'),
    matched_by: nullable(
      Type.String(),
      'Match rule that found the record; `external_ids.connectwise`: its id in that system; null: ' +
        'none did.'
    ),
    pushed: nullable(
      Type.Boolean(),
      'Whether nothing is left to tell of what the row did to its record: events have told it, or ' +
        'it was gone or changed back when it was pushed; null: it did nothing.'
    ),
    changed_fields: nullable(
      Type.Array(Type.String(), { description: '' }),
      'Fields that were changed, and ids in other systems that were named; null: none.'
    ),
    changes: nullable(
      Type.Record(
        Type.String(),
        answer(
          {
            from: Type.Unknown({ description: 'Value before; null: none.' }),
            to: Type.Unknown({ description: 'Value after; null: none.' })
          },
          { description: 'A field.' }
        ),
        {
          description:
            'By field. References are {id, title}, or {new: title} for a record that the import ' +
            'itself makes; of secrets only {secret: true} is said.',
          examples: [{ title: { from: 'Agent', to: 'Manager' } }]
        }
      ),
      'Of a dry run: the fields that it would fill or change; null: none.'
    ),
    problems: problemList('What is wrong with the row, or noteworthy.')
  },
  { $id: 'ImportRow', description: 'The outcome of one data row.' }
)

export const RowPageSchema = page(RowSchema, 'ImportRowPage', 'Outcomes in file order.')

/** All named schemas of this module, to be added to the app. */
export const importSchemas = [
  ProblemOfRowSchema,
  PreviewSchema,
  ImportSchema,
  ImportPageSchema,
  RowSchema,
  RowPageSchema
]
