import { type Clock, type FileSystem, nodeFileSystem, systemClock } from '@varve/log'
import { InvalidArgumentError, type LogRecord } from '@varve/record'
import type { BackupGap } from '../format/manifest.ts'
import { committedBatches, type OpenTransactions } from '../reading/committed-records.ts'
import type { GroupOffset } from '../reading/group-offsets.ts'
import type { HistoryPartition, RecordHistory } from '../reading/record-history.ts'
import { type BackupProgress, ProgressMeter } from '../taking/progress-meter.ts'
import { createIndexes, createTables, exportFormat, headersToSql } from './export-schema.ts'
import { openSqlite, type SqliteDatabase, toSql } from './sqlite.ts'

export interface ExportOptions {
  /** Which topics. @defaultValue all but `__…`, Kafka's own and Varve's */
  readonly select?: (topic: string) => boolean
  /** Settings of topics, by name. @defaultValue none */
  readonly settings?: ReadonlyMap<string, object>
  /** @defaultValue none */
  readonly groups?: readonly GroupOffset[]
  /** @defaultValue 'stop' */
  readonly openTransactions?: OpenTransactions
  readonly signal?: AbortSignal
  /** Counts offsets, not bytes. */
  readonly onProgress?: (progress: BackupProgress) => void
  readonly clock?: Clock
}

export interface ExportReport {
  readonly from: string
  readonly to: string
  readonly topics: number
  readonly partitions: number
  readonly records: number
  readonly groupOffsets: number
  readonly sizeBytes: number
  /** What the source should have had, and partitions that end before an open transaction. */
  readonly gaps: readonly BackupGap[]
  readonly durationMs: number
}

/** So many records are one transaction of the database. */
const recordsPerTransaction = 20_000

const ownTopic = /^__/

/**
 * Writes committed records, topics, and groups' offsets into a new SQLite database: tables
 * `topics`, `partitions`, `records` and `group_offsets`. Keys and values that are text are TEXT,
 * others BLOBs.
 * The file gets its name when it is complete and flushed.
 *
 * Rejects with SqliteMissingError, with InvalidArgumentError when there is such a file already, and
 * with whatever reading rejects with.
 */
export async function exportToSqlite(
  history: RecordHistory,
  path: string,
  options: ExportOptions = {},
): Promise<ExportReport> {
  const { clock = systemClock } = options
  // SQLite writes to the machine's own file system.
  const fs = nodeFileSystem
  if (fs.stat(path) !== null) throw new InvalidArgumentError('to', path, 'is there already')
  const begunMs = clock.now()
  const unfinished = `${path}.exporting`
  if (fs.stat(unfinished) !== null) await fs.remove(unfinished)
  try {
    const database = await openSqlite(unfinished, { isNew: true })
    let counts: Counts
    try {
      counts = await new Export(history, database, options).run()
    } finally {
      database.close()
    }
    const sizeBytes = await putInPlace(fs, unfinished, path)
    const durationMs = clock.now() - begunMs
    return { from: history.name, to: path, ...counts, sizeBytes, durationMs }
  } catch (error) {
    if (fs.stat(unfinished) !== null) await fs.remove(unfinished)
    throw error
  }
}

type Counts = Pick<ExportReport, 'topics' | 'partitions' | 'records' | 'groupOffsets' | 'gaps'>

class Export {
  readonly #history: RecordHistory
  readonly #database: SqliteDatabase
  readonly #options: ExportOptions
  readonly #partitions: readonly HistoryPartition[]
  #records = 0

  constructor(history: RecordHistory, database: SqliteDatabase, options: ExportOptions) {
    this.#history = history
    this.#database = database
    this.#options = options
    const { select = (topic: string) => !ownTopic.test(topic) } = options
    this.#partitions = history.partitions.filter(({ topic }) => select(topic))
  }

  async run(): Promise<Counts> {
    const database = this.#database
    const { groups = [] } = this.#options
    // Nobody sees the file before it is complete, so it needs no journal.
    database.pragma('journal_mode = OFF')
    database.pragma('synchronous = OFF')
    createTables(database)
    const topics = this.#writeTopics()
    const written = this.#writeGroups(groups)
    const cut = await this.#writeRecords()
    createIndexes(database)
    database.exec('ANALYZE')
    const places = new Set(this.#partitions.map(({ topic, partition }) => `${topic}-${partition}`))
    const missing = this.#history.gaps.filter(({ topic, partition }) => {
      return places.has(`${topic}-${partition}`)
    })
    const partitions = this.#partitions.length
    const records = this.#records
    return { topics, partitions, records, groupOffsets: written, gaps: [...missing, ...cut] }
  }

  #writeTopics(): number {
    const { settings = new Map<string, object>() } = this.#options
    const { name, sourceId, takenMs } = this.#history
    const database = this.#database
    const note = database.prepare('INSERT INTO export VALUES (?, ?, ?, ?)')
    note.run(exportFormat, name, sourceId, takenMs)
    const topics = new Map<string, { topicId: string | null; partitions: number }>()
    const partitions = database.prepare('INSERT INTO partitions VALUES (?, ?, ?, ?)')
    for (const { topic, partition, topicId, logStartOffset, endOffset } of this.#partitions) {
      partitions.run(topic, partition, logStartOffset, endOffset)
      const count = Math.max(topics.get(topic)?.partitions ?? 0, partition + 1)
      topics.set(topic, { topicId, partitions: count })
    }
    const insert = database.prepare('INSERT INTO topics VALUES (?, ?, ?, ?)')
    for (const [topic, { topicId, partitions: count }] of topics) {
      insert.run(topic, topicId, count, JSON.stringify(settings.get(topic) ?? {}))
    }
    return topics.size
  }

  #writeGroups(groups: readonly GroupOffset[]): number {
    const topics = new Set(this.#partitions.map(({ topic }) => topic))
    const wanted = groups.filter(({ topic }) => topics.has(topic))
    const insert = this.#database.prepare('INSERT INTO group_offsets VALUES (?, ?, ?, ?, ?)')
    this.#database.transaction(() => {
      for (const { group, topic, partition, offset, metadata } of wanted) {
        insert.run(group, topic, partition, offset, metadata)
      }
    })()
    return wanted.length
  }

  async #writeRecords(): Promise<readonly BackupGap[]> {
    const { clock = systemClock, onProgress, signal } = this.#options
    const total = this.#partitions.reduce((sum, { logStartOffset, endOffset }) => {
      return sum + endOffset - logStartOffset
    }, 0)
    const meter = new ProgressMeter(total, clock, onProgress)
    const rows = new RecordRows(this.#database)
    const gaps: BackupGap[] = []
    for (const partition of this.#partitions) {
      const { topic, partition: number, endOffset: to, logStartOffset } = partition
      const { openTransactions = 'stop' } = this.#options
      const batches = committedBatches(partition, { from: logStartOffset, openTransactions })
      let next = logStartOffset
      for (;;) {
        const { done, value } = await batches.next()
        const reached = done === true ? value : value.nextOffset
        meter.advance(reached - next)
        next = reached
        if (done === true) break
        signal?.throwIfAborted()
        for (const record of value.records()) {
          if (record.offset >= logStartOffset) rows.add(topic, number, record)
        }
      }
      if (next >= to) continue
      const reason = 'a transaction was open there, and it is not known how it ended'
      gaps.push({ topic, partition: number, from: next, to, reason })
    }
    this.#records = rows.finish()
    meter.finish()
    return gaps
  }
}

const insertRecord =
  'INSERT INTO records VALUES (@topic, @partition, @offset, @timestamp, @key, @value, @headers)'

/** Inserts records, many to a transaction. */
class RecordRows {
  readonly #database: SqliteDatabase
  readonly #insert: ReturnType<SqliteDatabase['prepare']>
  #count = 0

  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#insert = database.prepare(insertRecord)
    database.exec('BEGIN')
  }

  add(topic: string, partition: number, record: LogRecord): void {
    const { offset, timestamp, key, value, headers } = record
    const place = { topic, partition, offset, timestamp }
    const content = { key: toSql(key), value: toSql(value), headers: headersToSql(headers) }
    this.#insert.run({ ...place, ...content })
    this.#count++
    if (this.#count % recordsPerTransaction === 0) this.#database.exec('COMMIT; BEGIN')
  }

  finish(): number {
    this.#database.exec('COMMIT')
    return this.#count
  }
}

/** Gives the file its name, durably. Resolves to its size. */
async function putInPlace(fs: FileSystem, unfinished: string, path: string): Promise<number> {
  const file = fs.open(unfinished, 'write')
  try {
    await file.datasync()
  } finally {
    file.close()
  }
  fs.rename(unfinished, path)
  const slash = path.lastIndexOf('/')
  await fs.syncDirectory(slash < 0 ? '.' : path.slice(0, slash) || '/')
  return fs.stat(path)?.sizeBytes ?? 0
}
