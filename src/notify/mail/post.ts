// Where messages go: a mail server, or files where none is configured. One message, one address, one
// attempt; says what became of it, and knows no database. Called by mailer.ts.

import nodemailer from 'nodemailer'
import type { Config } from '../../config.ts'
import type { Mailbox } from '../../email-address.ts'
import { writeMailFile } from '../../platform/mail-files.ts'
import type { SmtpServer } from '../../smtp-url.ts'
import { plain } from './letter.ts'

/** A message without its sender. */
export interface Message {
  /** Stays the same when the message is sent again. */
  message_id: string
  created_at: Date
  /** Passed readAddress. */
  address: string
  subject: string
  text: string
  html: string
}

/** What became of an attempt. `error` may be shown to the account; `cause` is for the log.
 *  `isAway`: no message would have got through. */
export type Delivered =
  | { state: 'sent' }
  | { state: 'written'; path: string }
  | { state: 'failed'; error: string }
  | { state: 'queued'; error: string; isAway: boolean; cause: unknown }

export interface Post {
  /** Never throws. Ends with `queued` when `signal` is aborted before the server has taken it. */
  deliver(message: Message, signal: AbortSignal): Promise<Delivered>
}

/** The post that the configuration asks for. Opens nothing yet. */
export function openPost({ smtp, mailFrom, dataDir }: Config): Post {
  const from = mailFrom ?? { name: 'Muster', address: 'muster@localhost' }
  return smtp ? smtpPost(smtp, from) : filePost(dataDir, from)
}

// A server that answers at all does so at once, but for the answer to the message itself: some look
// into it for a minute, and who does not wait sends it twice.
const timeouts = {
  dnsTimeout: 10_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 90_000,
  socketCloseTimeout: 1_000
}

function smtpPost({ host, port, tls, login }: SmtpServer, from: Mailbox): Post {
  const transport = nodemailer.createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'off',
    ...(login && {
      // A server that offers no login is the wrong one, not one that needs none.
      forceAuth: true,
      auth: { user: login.user, pass: login.password.export().toString() }
    }),
    ...timeouts
  })
  return {
    async deliver(message, signal) {
      try {
        await transport.sendMail({ ...compose(message, from), signal })
        return { state: 'sent' }
      } catch (error) {
        return judge(error)
      }
    }
  }
}

function filePost(dataDir: string, from: Mailbox): Post {
  const transport = nodemailer.createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows'
  })
  return {
    async deliver(message) {
      try {
        const { message: bytes } = await transport.sendMail(compose(message, from))
        // By its time, so that a folder shows them in order; written again it replaces itself.
        const time = message.created_at.toISOString().replace(/[-:]|\.\d+/g, '')
        const name = `${time}-${message.message_id}.eml`
        const path = await writeMailFile(dataDir, name, bytes as Buffer)
        return { state: 'written', path }
      } catch (cause) {
        const error = 'The folder for mails cannot be written to.'
        return { state: 'queued', error, isAway: true, cause }
      }
    }
  }
}

function compose(message: Message, from: Mailbox) {
  const { message_id, created_at, address, subject, text, html } = message
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  return {
    messageId: `<${message_id}@${domain}>`,
    date: created_at,
    from,
    // Not a list: it is one address and is not taken apart.
    to: { name: '', address },
    subject,
    text,
    html,
    headers: {
      // RFC 3834, and what Exchange reads in its place: no "out of office" as an answer.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All'
    },
    xMailer: false as const,
    disableFileAccess: true,
    disableUrlAccess: true
  }
}

interface SmtpError {
  code?: string
  command?: string
  response?: string
  responseCode?: number
}

const maxErrorChars = 500

/** A refusal for good of this address or this message is final. Everything else may be mended: a
 *  busy server, a wrong password, a sender that the server does not take yet. */
function judge(cause: unknown): Delivered {
  const { code, command, response, responseCode = 0 } = cause as SmtpError
  const isAboutIt = (command === 'RCPT TO' || command === 'DATA') && responseCode > 0
  const answer = plain(response ?? '', maxErrorChars)
  if (isAboutIt && responseCode >= 500) return { state: 'failed', error: answer }
  // What a server says about our login or about itself is nobody's business but the operator's.
  const error = isAboutIt
    ? answer
    : `The mail server does not take mails at the moment (${code ?? 'error'}).`
  return { state: 'queued', error, isAway: !isAboutIt, cause }
}
