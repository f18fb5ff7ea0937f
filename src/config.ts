// The only reader of process.env. Called once by each process's entry file; the result is passed in.
// docs/configuration.md lists every variable and is held to this file by a test.

import { createSecretKey, type KeyObject } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { resolve } from 'node:path'
import { type Mailbox, mailboxText, readMailbox } from './email-address.ts'
import { parseSmtpUrl, type SmtpServer, smtpUrlText } from './smtp-url.ts'

/** From the least to the most that is logged. */
const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

/** A key that secrets are encrypted with. Its bytes are in an object that no log prints. */
export interface SecretKey {
  id: string
  key: KeyObject
}

export interface Config {
  /** PostgreSQL to use; null: the embedded server in `dataDir`. */
  databaseUrl: string | null
  host: string
  port: number
  /** Folder for uploads and the embedded server. */
  dataDir: string
  /** Keys for secrets, the one that new ones are written with first; null: those in `dataDir`. */
  secretKeys: SecretKey[] | null
  logLevel: (typeof logLevels)[number]
  /** Largest upload that is accepted, in bytes. */
  maxUploadBytes: number
  /** Longest row that is read, in bytes; a longer one is rejected on its own. */
  maxRowBytes: number
  /** Most columns a header may have. */
  maxColumns: number
  /** Rows per batch (one transaction). */
  batchRows: number
  /** Imports that one worker process runs at the same time. */
  workerConcurrency: number
  /** Imports of one account that run at the same time; 0: as many as there are workers. */
  maxRunningImports: number
  /** Imports of one account that are queued, running or paused at the same time. */
  maxUnfinishedImports: number
  /** How long an import runs before it makes room for those of other accounts. */
  importSliceSeconds: number
  /** A worker that gives no sign of life for this long has lost its imports to others. */
  workerHeartbeatSeconds: number
  /** Upload is closed when no byte arrives for this long. */
  uploadIdleTimeoutMs: number
  /** Event streams that one process serves at the same time. */
  maxStreams: number
  /** How long the answer to a request with an Idempotency-Key is kept. */
  idempotencyKeyHours: number
  /** A shutdown waits this long for requests and the running batch. */
  shutdownTimeoutMs: number
  /** Days after an import's end for which its file is kept; 0: for ever. */
  keepUploadsDays: number
  /** Days for which the outcomes of rows are kept; 0: for ever. */
  keepOutcomesDays: number
  /** Days for which the history of records is kept; 0: for ever. */
  keepHistoryDays: number
  /** Days for which events, deliveries and mails are kept; 0: for ever. */
  keepEventsDays: number
  /** Address of the service as others reach it, without a slash at its end; null: links are paths. */
  publicUrl: string | null
  /** Networks (CIDR) that webhooks may reach although they are not public. */
  webhookAllowedNetworks: string[]
  /** How long one attempt to deliver a webhook may take. */
  webhookTimeoutMs: number
  /** null: mails are written to files in `dataDir`. */
  smtp: SmtpServer | null
  /** Whom mails are from; null: not said, and there is no mail server. */
  mailFrom: Mailbox | null
}

/** Reads the configuration. Throws an Error that names the variable when a value makes no sense. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const dataDir = resolve(env.MUSTER_DATA_DIR || '.muster')
  return {
    databaseUrl: env.DATABASE_URL || null,
    host: env.MUSTER_HOST || '127.0.0.1',
    port: whole(env, 'MUSTER_PORT', 8080, 0, 65_535),
    dataDir,
    secretKeys: readSecretKeys(env),
    logLevel: readLogLevel(env),
    maxUploadBytes: whole(env, 'MUSTER_MAX_UPLOAD_BYTES', 1024 ** 3, 1, 1024 ** 4),
    maxRowBytes: whole(env, 'MUSTER_MAX_ROW_BYTES', 131_072, 1_024, 262_144),
    maxColumns: whole(env, 'MUSTER_MAX_COLUMNS', 512, 1, 2_048),
    batchRows: whole(env, 'MUSTER_BATCH_ROWS', 3_000, 1, 50_000),
    workerConcurrency: whole(env, 'MUSTER_WORKER_CONCURRENCY', 2, 1, 32),
    maxRunningImports: whole(env, 'MUSTER_MAX_RUNNING_IMPORTS', 0, 0, 10_000),
    maxUnfinishedImports: whole(env, 'MUSTER_MAX_UNFINISHED_IMPORTS', 100, 1, 100_000),
    importSliceSeconds: whole(env, 'MUSTER_IMPORT_SLICE_SECONDS', 3, 0, 3_600),
    workerHeartbeatSeconds: whole(env, 'MUSTER_WORKER_HEARTBEAT_SECONDS', 30, 10, 3_600),
    uploadIdleTimeoutMs: whole(env, 'MUSTER_UPLOAD_IDLE_TIMEOUT_MS', 60_000, 100, 3_600_000),
    maxStreams: whole(env, 'MUSTER_MAX_STREAMS', 2_000, 0, 100_000),
    idempotencyKeyHours: whole(env, 'MUSTER_IDEMPOTENCY_KEY_HOURS', 24, 1, 720),
    shutdownTimeoutMs: whole(env, 'MUSTER_SHUTDOWN_TIMEOUT_MS', 20_000, 100, 600_000),
    keepUploadsDays: whole(env, 'MUSTER_KEEP_UPLOADS_DAYS', 30, 0, 36_500),
    keepOutcomesDays: whole(env, 'MUSTER_KEEP_OUTCOMES_DAYS', 90, 0, 36_500),
    keepHistoryDays: whole(env, 'MUSTER_KEEP_HISTORY_DAYS', 365, 0, 36_500),
    keepEventsDays: whole(env, 'MUSTER_KEEP_EVENTS_DAYS', 30, 0, 36_500),
    publicUrl: readPublicUrl(env),
    webhookAllowedNetworks: readNetworks(env, 'MUSTER_WEBHOOK_ALLOWED_NETWORKS'),
    webhookTimeoutMs: whole(env, 'MUSTER_WEBHOOK_TIMEOUT_MS', 15_000, 100, 60_000),
    smtp: readSmtp(env),
    mailFrom: readMailFrom(env)
  }
}

/** The environment in which a child process reads the same configuration. */
export function childEnvironment(config: Config, databaseUrl: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DATABASE_URL: databaseUrl,
    MUSTER_HOST: config.host,
    MUSTER_PORT: String(config.port),
    MUSTER_DATA_DIR: config.dataDir,
    ...(config.secretKeys && { MUSTER_SECRET_KEYS: secretKeysText(config.secretKeys) }),
    MUSTER_LOG_LEVEL: config.logLevel,
    MUSTER_MAX_UPLOAD_BYTES: String(config.maxUploadBytes),
    MUSTER_MAX_ROW_BYTES: String(config.maxRowBytes),
    MUSTER_MAX_COLUMNS: String(config.maxColumns),
    MUSTER_BATCH_ROWS: String(config.batchRows),
    MUSTER_WORKER_CONCURRENCY: String(config.workerConcurrency),
    MUSTER_MAX_RUNNING_IMPORTS: String(config.maxRunningImports),
    MUSTER_MAX_UNFINISHED_IMPORTS: String(config.maxUnfinishedImports),
    MUSTER_IMPORT_SLICE_SECONDS: String(config.importSliceSeconds),
    MUSTER_WORKER_HEARTBEAT_SECONDS: String(config.workerHeartbeatSeconds),
    MUSTER_UPLOAD_IDLE_TIMEOUT_MS: String(config.uploadIdleTimeoutMs),
    MUSTER_MAX_STREAMS: String(config.maxStreams),
    MUSTER_IDEMPOTENCY_KEY_HOURS: String(config.idempotencyKeyHours),
    MUSTER_SHUTDOWN_TIMEOUT_MS: String(config.shutdownTimeoutMs),
    MUSTER_KEEP_UPLOADS_DAYS: String(config.keepUploadsDays),
    MUSTER_KEEP_OUTCOMES_DAYS: String(config.keepOutcomesDays),
    MUSTER_KEEP_HISTORY_DAYS: String(config.keepHistoryDays),
    MUSTER_KEEP_EVENTS_DAYS: String(config.keepEventsDays),
    MUSTER_PUBLIC_URL: config.publicUrl ?? '',
    MUSTER_WEBHOOK_ALLOWED_NETWORKS: config.webhookAllowedNetworks.join(','),
    MUSTER_WEBHOOK_TIMEOUT_MS: String(config.webhookTimeoutMs),
    ...(config.smtp && { MUSTER_SMTP_URL: smtpUrlText(config.smtp) }),
    ...(config.mailFrom && { MUSTER_MAIL_FROM: mailboxText(config.mailFrom) })
  }
}

/** What the command line needs to reach a server. */
export interface ClientConfig {
  url: string
  /** null: not given; a server on this machine may have left its first key in `dataDir`. */
  apiKey: string | null
  /** Secret of a webhook endpoint, for `muster listen`; null: not given. */
  webhookSecret: string | null
  dataDir: string
}

/** Reads where the server is and the key for it. */
export function readClientConfig(env: NodeJS.ProcessEnv = process.env): ClientConfig {
  return {
    url: env.MUSTER_URL || 'http://127.0.0.1:8080',
    apiKey: env.MUSTER_API_KEY || null,
    webhookSecret: env.MUSTER_WEBHOOK_SECRET || null,
    dataDir: resolve(env.MUSTER_DATA_DIR || '.muster')
  }
}

/** Reads `id:base64` entries between commas or line ends. Throws an Error with every mistake, each
 *  by the number of its entry: what is no key may still be most of one, so nothing is repeated. */
export function parseSecretKeys(text: string, source: string): SecretKey[] {
  const entries = text
    .split(/[,\r\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const faults: string[] = []
  const firstWithId = new Map<string, number>()
  const keys = entries.flatMap((entry, index) => {
    const place = `entry ${index + 1}`
    const [id = '', base64 = '', ...more] = entry.split(':')
    if (more.length > 0 || !/^[\w-]{1,32}$/.test(id)) {
      const form = 'id:base64, with an id of 1 to 32 letters, digits, - or _'
      return fault(`${place} does not have the form ${form}`)
    }
    const twin = firstWithId.get(id)
    if (twin !== undefined) return fault(`${place} has the id of entry ${twin}`)
    firstWithId.set(id, index + 1)
    if (!/^[A-Za-z0-9+/]{43}=?$/.test(base64)) return fault(`${place} is not 32 bytes in base64`)
    return [{ id, key: createSecretKey(base64, 'base64') }]
  })
  function fault(reason: string): [] {
    faults.push(reason)
    return []
  }
  if (entries.length === 0) faults.push('there is no key')
  if (faults.length > 0) throw new Error(`${source} is not usable: ${faults.join('; ')}.`)
  return keys
}

/** The keys in the form that `parseSecretKeys` reads. */
export function secretKeysText(keys: SecretKey[]): string {
  return keys.map(({ id, key }) => `${id}:${key.export().toString('base64')}`).join(',')
}

function readSecretKeys(env: NodeJS.ProcessEnv): SecretKey[] | null {
  const text = env.MUSTER_SECRET_KEYS
  return text === undefined || text === '' ? null : parseSecretKeys(text, 'MUSTER_SECRET_KEYS')
}

function readPublicUrl(env: NodeJS.ProcessEnv): string | null {
  const text = env.MUSTER_PUBLIC_URL || null
  if (text === null) return null
  const url = URL.parse(text)
  const isPlain = url && /^https?:$/.test(url.protocol) && `${url.username}${url.search}` === ''
  if (isPlain && url.hash === '') return url.href.replace(/\/+$/, '')
  throw new Error('MUSTER_PUBLIC_URL must be an address such as https://muster.example.com.')
}

function readMailFrom(env: NodeJS.ProcessEnv): Mailbox | null {
  const text = env.MUSTER_MAIL_FROM || null
  const form = 'Muster <muster@example.com>'
  if (text === null) {
    if (!env.MUSTER_SMTP_URL) return null
    throw new Error(`MUSTER_SMTP_URL needs MUSTER_MAIL_FROM: whom mails are from, as ${form}.`)
  }
  const mailbox = readMailbox(text)
  if (mailbox) return mailbox
  throw new Error(`MUSTER_MAIL_FROM must be an address or have the form ${form}.`)
}

function readSmtp(env: NodeJS.ProcessEnv): SmtpServer | null {
  const text = env.MUSTER_SMTP_URL
  return text === undefined || text === '' ? null : parseSmtpUrl(text)
}

function readLogLevel(env: NodeJS.ProcessEnv): Config['logLevel'] {
  const text = env.MUSTER_LOG_LEVEL || 'info'
  const level = logLevels.find((one) => one === text)
  if (level) return level
  throw new Error(`MUSTER_LOG_LEVEL is "${text}"; it must be one of ${logLevels.join(', ')}.`)
}

function readNetworks(env: NodeJS.ProcessEnv, name: string): string[] {
  const networks = (env[name] ?? '').split(',').map((one) => one.trim())
  return networks.filter((network) => {
    if (network === '') return false
    const [address = '', bits = '', ...more] = network.split('/')
    const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
    if (more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most) return true
    throw new Error(`${name} has "${network}"; it must be networks such as 10.0.0.0/8, fd00::/8.`)
  })
}

function whole(env: NodeJS.ProcessEnv, name: string, fallback: number, min: number, max: number) {
  const text = env[name]
  if (text === undefined || text === '') return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Error(`${name} is "${text}"; it must be a whole number from ${min} to ${max}.`)
  }
  return value
}
