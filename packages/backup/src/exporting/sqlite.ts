import { isUtf8 } from 'node:buffer'
import { InvalidArgumentError, VarveError } from '@varve/record'
import type BetterSqlite from 'better-sqlite3'

export type SqliteDatabase = BetterSqlite.Database

/** Newer ones need Node.js 22. */
const version = Number.parseInt(process.versions.node, 10) < 22 ? '@12' : ''

/** A database is asked for, and the package that makes them is not installed. */
export class SqliteMissingError extends VarveError {
  readonly code = 'VARVE_SQLITE_MISSING'

  constructor(cause: unknown) {
    super('databases need the package better-sqlite3, which cannot be loaded', {
      cause,
      hint: `install it beside Varve: npm install better-sqlite3${version}`,
    })
  }
}

export type LoadSqlite = () => Promise<{ readonly default: typeof BetterSqlite }>

/**
 * Opens an SQLite database through the package that only those install who export. Rejects with
 * SqliteMissingError and InvalidArgumentError.
 */
export async function openSqlite(
  path: string,
  { isNew }: { readonly isNew: boolean },
  load: LoadSqlite = () => import('better-sqlite3'),
): Promise<SqliteDatabase> {
  const sqlite = await load().catch((error: unknown) => {
    throw new SqliteMissingError(error)
  })
  try {
    return new sqlite.default(path, isNew ? {} : { readonly: true, fileMustExist: true })
  } catch (error) {
    // Its native part is loaded with the first database, and may be that of another Node.js.
    if (!(error instanceof TypeError) && !isSqliteError(error)) throw new SqliteMissingError(error)
    throw new InvalidArgumentError('path', path, `is no place for a database: ${error.message}`)
  }
}

/** Whether SQLite itself refused something: it is not its database, or not one of ours. */
export function isSqliteError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_')
}

/** Bytes as SQL likes them: text where they are text, so that it can be searched; else a BLOB. */
export function toSql(bytes: Buffer | null): string | Buffer | null {
  if (bytes === null || bytes.includes(0) || !isUtf8(bytes)) return bytes
  return bytes.toString('utf8')
}

/** The bytes again; undefined for a number, which nothing of ours is. */
export function fromSql(value: unknown): Buffer | null | undefined {
  if (value === null || Buffer.isBuffer(value)) return value
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : undefined
}
