import type { RecordHeader } from '@varve/record'
import { JsonShape } from '../format/json-shape.ts'
import { type SqliteDatabase, toSql } from './sqlite.ts'

/** Of the tables below. */
export const exportFormat = 1

const tables = `
  CREATE TABLE export (
    format INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_id TEXT NOT NULL,
    taken_ms INTEGER NOT NULL
  );
  CREATE TABLE topics (
    topic TEXT PRIMARY KEY,
    topic_id TEXT,
    partitions INTEGER NOT NULL,
    settings TEXT NOT NULL
  );
  CREATE TABLE partitions (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    log_start_offset INTEGER NOT NULL,
    end_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
  );
  CREATE TABLE records (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    key,
    value,
    headers TEXT
  );
  CREATE TABLE group_offsets (
    group_name TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    PRIMARY KEY (group_name, topic, partition)
  );
`

export function createTables(database: SqliteDatabase): void {
  database.exec(tables)
}

/** Made when the records are in: sorting them once is cheaper than finding a place for each. */
export function createIndexes(database: SqliteDatabase): void {
  database.exec('CREATE UNIQUE INDEX records_place ON records (topic, partition, offset)')
}

/**
 * Headers as JSON, in order: `[{"key": …, "value": …}, …]`; `base64` instead of `value` where
 * it is not text. Null without any.
 */
export function headersToSql(headers: readonly RecordHeader[]): string | null {
  if (headers.length === 0) return null
  return JSON.stringify(
    headers.map(({ key, value }) => {
      const shown = toSql(value)
      return Buffer.isBuffer(shown)
        ? { key, base64: shown.toString('base64') }
        : { key, value: shown }
    }),
  )
}

/** Throws CorruptRepositoryError; `place` is for its message. */
export function headersFromSql(text: string | null, place: string): readonly RecordHeader[] {
  if (text === null) return []
  return JsonShape.parse(Buffer.from(text), place).list((header) => {
    const key = header.get('key').text()
    const base64 = header.get('base64').optional((bytes) => bytes.base64())
    const value = header.get('value').optional((shown) => Buffer.from(shown.text(), 'utf8'))
    return { key, value: base64 ?? value }
  })
}
