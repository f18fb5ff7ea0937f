// The only reader of process.env. Called once by each process's entry file; the result is passed in.
// docs/configuration.md lists every variable and is held to this file by a test.

import { createSecretKey, type KeyObject } from 'node:crypto'
import { resolve } from 'node:path'

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
    workerHeartbeatSeconds: whole(env, 'MUSTER_WORKER_HEARTBEAT_SECONDS', 30, 10, 3_600),
    uploadIdleTimeoutMs: whole(env, 'MUSTER_UPLOAD_IDLE_TIMEOUT_MS', 60_000, 100, 3_600_000),
    maxStreams: whole(env, 'MUSTER_MAX_STREAMS', 2_000, 0, 100_000),
    idempotencyKeyHours: whole(env, 'MUSTER_IDEMPOTENCY_KEY_HOURS', 24, 1, 720),
    shutdownTimeoutMs: whole(env, 'MUSTER_SHUTDOWN_TIMEOUT_MS', 20_000, 100, 600_000),
    keepUploadsDays: whole(env, 'MUSTER_KEEP_UPLOADS_DAYS', 30, 0, 36_500),
    keepOutcomesDays: whole(env, 'MUSTER_KEEP_OUTCOMES_DAYS', 90, 0, 36_500),
    keepHistoryDays: whole(env, 'MUSTER_KEEP_HISTORY_DAYS', 365, 0, 36_500)
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
    MUSTER_WORKER_HEARTBEAT_SECONDS: String(config.workerHeartbeatSeconds),
    MUSTER_UPLOAD_IDLE_TIMEOUT_MS: String(config.uploadIdleTimeoutMs),
    MUSTER_MAX_STREAMS: String(config.maxStreams),
    MUSTER_IDEMPOTENCY_KEY_HOURS: String(config.idempotencyKeyHours),
    MUSTER_SHUTDOWN_TIMEOUT_MS: String(config.shutdownTimeoutMs),
    MUSTER_KEEP_UPLOADS_DAYS: String(config.keepUploadsDays),
    MUSTER_KEEP_OUTCOMES_DAYS: String(config.keepOutcomesDays),
    MUSTER_KEEP_HISTORY_DAYS: String(config.keepHistoryDays)
  }
}

/** What the command line needs to reach a server. */
export interface ClientConfig {
  url: string
  /** null: not given; a server on this machine may have left its first key in `dataDir`. */
  apiKey: string | null
  dataDir: string
}

/** Reads where the server is and the key for it. */
export function readClientConfig(env: NodeJS.ProcessEnv = process.env): ClientConfig {
  return {
    url: env.MUSTER_URL || 'http://127.0.0.1:8080',
    apiKey: env.MUSTER_API_KEY || null,
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

function readLogLevel(env: NodeJS.ProcessEnv): Config['logLevel'] {
  const text = env.MUSTER_LOG_LEVEL || 'info'
  const level = logLevels.find((one) => one === text)
  if (level) return level
  throw new Error(`MUSTER_LOG_LEVEL is "${text}"; it must be one of ${logLevels.join(', ')}.`)
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
