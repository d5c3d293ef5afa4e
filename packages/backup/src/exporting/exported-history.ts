import { type Offset, RecordBatchBuilder } from '@varve/record'
import { CorruptRepositoryError } from '../base/backup-errors.ts'
import { JsonShape } from '../format/json-shape.ts'
import { topicPattern } from '../format/partition-list.ts'
import type { GroupOffset } from '../reading/group-offsets.ts'
import type { HistoryPartition, RecordHistory } from '../reading/record-history.ts'
import { exportFormat, headersFromSql } from './export-schema.ts'
import { fromSql, isSqliteError, openSqlite, type SqliteDatabase } from './sqlite.ts'

/** An exported database, read as what it was made of. */
export interface ExportedHistory extends Disposable {
  readonly history: RecordHistory
  /** As the database has them: plain JSON, not looked at. */
  readonly settings: ReadonlyMap<string, unknown>
  readonly groups: readonly GroupOffset[]
}

/** Records of about so many bytes are one batch. */
const batchBytes = 64 * 1024
const offsetDeltaMax = 2 ** 31 - 1

/** Rejects with SqliteMissingError, CorruptRepositoryError, InvalidArgumentError. */
export async function openExport(path: string): Promise<ExportedHistory> {
  const database = await openSqlite(path, { isNew: false })
  try {
    return new Reading(database, path).open()
  } catch (error) {
    database.close()
    if (!isSqliteError(error)) throw error
    throw new CorruptRepositoryError(path, `it is no export: ${error.message}`, { cause: error })
  }
}

/** A row as it comes, of whatever kind somebody may have put there. */
type Row = Readonly<Record<string, unknown>>

class Reading {
  readonly #database: SqliteDatabase
  readonly #path: string

  constructor(database: SqliteDatabase, path: string) {
    this.#database = database
    this.#path = path
  }

  open(): ExportedHistory {
    const about = this.#rows('SELECT * FROM export')[0]
    if (about === undefined) throw new CorruptRepositoryError(this.#path, 'it is no export')
    about.get('format').version(exportFormat)
    const topics = this.#rows('SELECT * FROM topics')
    const ids = new Map(
      topics.map((row) => [
        row.get('topic').text(topicPattern),
        row.get('topic_id').optional((id) => id.text(/^[A-Za-z0-9_-]{22}$/)),
      ]),
    )
    const partitions = this.#rows('SELECT * FROM partitions ORDER BY topic, partition')
    return {
      history: {
        sourceId: about.get('source_id').text(),
        name: `${about.get('source').text()} in ${this.#path}`,
        takenMs: about.get('taken_ms').number(),
        partitions: partitions.map((row) => this.#partitionOf(row, ids)),
        files: [],
        gaps: [],
      },
      settings: new Map(
        topics.map((row) => [row.get('topic').text(), JSON.parse(row.get('settings').text())]),
      ),
      groups: this.#rows('SELECT * FROM group_offsets').map((row) => ({
        group: row.get('group_name').text(),
        topic: row.get('topic').text(topicPattern),
        partition: row.get('partition').count(2 ** 31 - 1),
        offset: row.get('offset').count(),
        metadata: row.get('metadata').text(),
      })),
      [Symbol.dispose]: () => {
        this.#database.close()
      },
    }
  }

  #partitionOf(row: JsonShape, ids: ReadonlyMap<string, string | null>): HistoryPartition {
    const topic = row.get('topic').text(topicPattern)
    const partition = row.get('partition').count(2 ** 31 - 1)
    const logStartOffset = row.get('log_start_offset').count()
    const endOffset = row.get('end_offset').count()
    const topicId = ids.get(topic) ?? null
    const batches = (from: Offset) => this.#batches(topic, partition, from)
    return {
      ...{ topic, partition, topicId, logStartOffset, endOffset },
      // Nothing is read from a database in pieces while something else happens.
      async *batches({ from }) {
        yield* batches(from)
      },
    }
  }

  *#batches(topic: string, partition: number, from: Offset): Generator<ReturnType<typeof end>> {
    const select = this.#database.prepare(
      'SELECT * FROM records WHERE topic = ? AND partition = ? AND offset >= ? ORDER BY offset',
    )
    let builder: RecordBatchBuilder | null = null
    let baseOffset = 0
    for (const row of select.iterate(topic, partition, from)) {
      const { offset, ...record } = this.#recordOf(row as Row, `${topic}-${partition}`)
      const isFull = builder !== null && builder.sizeBytes >= batchBytes
      if (builder !== null && (isFull || offset - baseOffset > offsetDeltaMax)) {
        yield end(builder)
        builder = null
      }
      if (builder === null) {
        baseOffset = offset
        builder = new RecordBatchBuilder({ baseOffset, leaderEpoch: 0 })
      }
      builder.append(record, offset - baseOffset)
    }
    if (builder !== null) yield end(builder)
  }

  #recordOf(row: Row, place: string) {
    const { offset, timestamp, headers } = row
    const key = fromSql(row['key'])
    const value = fromSql(row['value'])
    const isSound =
      Number.isSafeInteger(offset) &&
      Number.isSafeInteger(timestamp) &&
      (headers === null || typeof headers === 'string') &&
      key !== undefined &&
      value !== undefined
    if (!isSound) throw new CorruptRepositoryError(this.#path, `a row of ${place} is no record`)
    return {
      offset: offset as Offset,
      timestamp: timestamp as number,
      key,
      value,
      headers: headersFromSql(headers as string | null, `headers in ${this.#path}`),
    }
  }

  #rows(sql: string): readonly JsonShape[] {
    const rows = this.#database.prepare(sql).all()
    return rows.map((row) => JsonShape.parse(Buffer.from(JSON.stringify(row)), this.#path))
  }
}

function end(builder: RecordBatchBuilder) {
  return builder.build()
}
