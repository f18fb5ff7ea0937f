// The only reader of process.env. Called once by each process's entry file; the result is passed in.
// docs/configuration.md lists every variable and is held to this file by a test.

import { resolve } from 'node:path'

/** From the least to the most that is logged. */
const logLevels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const

export interface Config {
  /** PostgreSQL to use; null: the embedded server in `dataDir`. */
  databaseUrl: string | null
  host: string
  port: number
  /** Folder for uploads and the embedded server. */
  dataDir: string
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
  /** A shutdown waits this long for requests and the running batch. */
  shutdownTimeoutMs: number
}

/** Reads the configuration. Throws an Error that names the variable when a value makes no sense. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const dataDir = resolve(env.MUSTER_DATA_DIR || '.muster')
  return {
    databaseUrl: env.DATABASE_URL || null,
    host: env.MUSTER_HOST || '127.0.0.1',
    port: whole(env, 'MUSTER_PORT', 8080, 0, 65_535),
    dataDir,
    logLevel: readLogLevel(env),
    maxUploadBytes: whole(env, 'MUSTER_MAX_UPLOAD_BYTES', 1024 ** 3, 1, 1024 ** 4),
    maxRowBytes: whole(env, 'MUSTER_MAX_ROW_BYTES', 131_072, 1_024, 262_144),
    maxColumns: whole(env, 'MUSTER_MAX_COLUMNS', 512, 1, 2_048),
    batchRows: whole(env, 'MUSTER_BATCH_ROWS', 3_000, 1, 50_000),
    workerConcurrency: whole(env, 'MUSTER_WORKER_CONCURRENCY', 2, 1, 32),
    workerHeartbeatSeconds: whole(env, 'MUSTER_WORKER_HEARTBEAT_SECONDS', 30, 10, 3_600),
    uploadIdleTimeoutMs: whole(env, 'MUSTER_UPLOAD_IDLE_TIMEOUT_MS', 60_000, 100, 3_600_000),
    shutdownTimeoutMs: whole(env, 'MUSTER_SHUTDOWN_TIMEOUT_MS', 20_000, 100, 600_000)
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
    MUSTER_LOG_LEVEL: config.logLevel,
    MUSTER_MAX_UPLOAD_BYTES: String(config.maxUploadBytes),
    MUSTER_MAX_ROW_BYTES: String(config.maxRowBytes),
    MUSTER_MAX_COLUMNS: String(config.maxColumns),
    MUSTER_BATCH_ROWS: String(config.batchRows),
    MUSTER_WORKER_CONCURRENCY: String(config.workerConcurrency),
    MUSTER_WORKER_HEARTBEAT_SECONDS: String(config.workerHeartbeatSeconds),
    MUSTER_UPLOAD_IDLE_TIMEOUT_MS: String(config.uploadIdleTimeoutMs),
    MUSTER_SHUTDOWN_TIMEOUT_MS: String(config.shutdownTimeoutMs)
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
