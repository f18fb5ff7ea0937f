// Routes of e-mail: whom the account wants to be told, and what became of its mails.
// A route is its schema and a handler that calls one verb; only this file sees request and reply.

import type { Pool } from '../../platform/db.ts'
import type { App } from '../../platform/http.ts'
import { ok, problems, ref } from '../../platform/http-schemas.ts'
import { MailListQuery, MailPageSchema, MailSchema, NotificationSettingsSchema } from './schemas.ts'
import { changeSettings, pageOfMails } from './settings.ts'
import { getSettings } from './store.ts'

const tags = ['notifications']

const getDoc = {
  operationId: 'getNotificationSettings',
  tags,
  summary: 'Get the notification settings',
  description: 'Whom the account wants to be told by mail. At first: nobody.',
  response: { 200: ok('The settings.', ref(NotificationSettingsSchema)), ...problems() }
}

const putDoc = {
  operationId: 'replaceNotificationSettings',
  tags,
  summary: 'Replace the notification settings',
  description:
    'For all imports that end from now on. A single import names addresses of its own with ' +
    '`notify_emails`; nobody gets two mails about one import.',
  body: ref(NotificationSettingsSchema),
  response: {
    200: ok('The settings as they are kept.', ref(NotificationSettingsSchema)),
    ...problems('body_too_large', 'unsupported_media_type')
  }
}

const listDoc = {
  operationId: 'listMails',
  tags,
  summary: 'List mails',
  description:
    'Every mail of the account, newest first, with what became of it. They go after the days in ' +
    '`MUSTER_KEEP_EVENTS_DAYS`.',
  querystring: MailListQuery,
  response: { 200: ok('A page of mails.', ref(MailPageSchema)), ...problems('invalid_cursor') }
}

/** Adds the routes of this module. Needs the access guard. */
export function mailRoutes(app: App, { pool }: { pool: Pool }): void {
  for (const schema of [NotificationSettingsSchema, MailSchema, MailPageSchema]) {
    app.addSchema(schema)
  }
  app.route({
    method: 'GET',
    url: '/settings/notifications',
    schema: getDoc,
    handler: ({ account }) => getSettings(pool, account.account_id)
  })

  app.route({
    method: 'PUT',
    url: '/settings/notifications',
    schema: putDoc,
    handler: ({ account, body }) => changeSettings(pool, account.account_id, body)
  })

  app.route({
    method: 'GET',
    url: '/mails',
    schema: listDoc,
    handler: ({ account, query }) => pageOfMails(pool, account.account_id, query)
  })
}
