// Shapes of the routes of mails and notification settings. TypeBox schemas with a text for every
// property.

import { Type } from 'typebox'
import { maxAddresses } from '../../email-address.ts'
import { answer, nullable, oneOf, page, pageQuery, time } from '../../platform/http-schemas.ts'
import { importEmails, mailStates } from './store.ts'

/** PUT /settings/notifications, and its answer. */
export const NotificationSettingsSchema = Type.Object(
  {
    emails: Type.Array(
      Type.String({
        maxLength: 254,
        description: 'An e-mail address.',
        examples: ['imports@example.com']
      }),
      { maxItems: maxAddresses, description: 'Addresses of the account, at most 20.' }
    ),
    import_emails: oneOf(
      importEmails,
      'After which imports, dry runs and undos these addresses get a mail. errors: after those that ' +
        'failed or have rows that were rejected or failed. Notices of the service itself go out ' +
        'always.'
    )
  },
  {
    $id: 'NotificationSettings',
    additionalProperties: false,
    description: 'Whom the account wants to be told.'
  }
)

export const MailSchema = answer(
  {
    id: Type.Integer({ description: 'Id of the mail.', examples: [1] }),
    kind: oneOf(
      ['import', 'notice'],
      'import: the end of an import; notice: something else that the account has to know.'
    ),
    import_id: nullable(Type.Integer(), 'The import that it tells of; null: a notice.'),
    address: Type.String({
      description: 'Whom it goes to; others get mails of their own.',
      examples: ['ann@example.com']
    }),
    state: oneOf(
      mailStates,
      'queued: to be sent or tried again; sent: the mail server has it; written: a file has it, ' +
        'because the service has no mail server; failed: given up.'
    ),
    attempts: Type.Integer({ description: 'How often it was tried.', examples: [1] }),
    error: nullable(Type.String(), 'What the last attempt ran into; null: nothing.'),
    created_at: time('When it was written.'),
    next_attempt_at: nullable(
      Type.String({ format: 'date-time' }),
      'When it is tried next; null: never again.'
    ),
    sent_at: nullable(
      Type.String({ format: 'date-time' }),
      'When the mail server took it, or the file was written; null: it has not been.'
    )
  },
  { $id: 'Mail', description: 'A mail to one address, and what became of it.' }
)

export const MailPageSchema = page(MailSchema, 'MailPage', 'Mails, newest first.')

/** GET /mails. */
export const MailListQuery = Type.Object(
  {
    import_id: Type.Optional(Type.Integer({ description: 'Only mails about this import.' })),
    state: Type.Optional(oneOf(mailStates, 'Only mails in this state.')),
    ...pageQuery
  },
  { additionalProperties: false }
)
