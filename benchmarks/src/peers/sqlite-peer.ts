import { mkdirSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { PayloadRecord } from '../harness/payload.ts'
import { CallerGroups } from './caller-groups.ts'
import { versionOf } from './installed.ts'
import type { Peer, PeerStore, RecordVisitor } from './peer.ts'

/**
 * One table, rows by their number, in WAL mode; `synchronous=FULL` flushes the WAL at each commit,
 * `NORMAL` leaves it to the kernel. Prepared statements; the caller puts what is appended together
 * into one transaction. It blocks the event loop while it works and flushes.
 */
export const sqlitePeer: Peer = {
  name: `better-sqlite3 ${versionOf('better-sqlite3')}`,
  settings: 'WAL, synchronous FULL (written: NORMAL), a transaction for what the caller groups',
  promises: ['flushed', 'written'],
  async open(path, promised) {
    mkdirSync(path)
    const database = new Database(`${path}/log.db`)
    database.pragma('journal_mode = WAL')
    database.pragma(`synchronous = ${promised === 'flushed' ? 'FULL' : 'NORMAL'}`)
    database.pragma('cache_size = -65536')
    database.pragma('mmap_size = 17179869184')
    database.exec('CREATE TABLE log (number INTEGER PRIMARY KEY, record BLOB NOT NULL) STRICT')
    return new SqliteStore(database)
  },
}

class SqliteStore implements PeerStore {
  readonly #database: Database.Database
  readonly #insertAll: (records: readonly PayloadRecord[]) => void
  readonly #groups: CallerGroups
  #next = 0

  constructor(database: Database.Database) {
    this.#database = database
    const insert = database.prepare('INSERT INTO log VALUES (?, ?)')
    this.#insertAll = database.transaction((records: readonly PayloadRecord[]) => {
      for (const { bytes } of records) insert.run(this.#next++, bytes)
    })
    this.#groups = new CallerGroups((group) => {
      this.#insertAll(group)
      return undefined
    })
  }

  append(record: PayloadRecord): Promise<unknown> {
    return this.#groups.append(record)
  }

  async appendBatch(records: readonly PayloadRecord[]): Promise<unknown> {
    return this.#insertAll(records)
  }

  async readAll(visitor: RecordVisitor): Promise<void> {
    const all = this.#database.prepare('SELECT record FROM log ORDER BY number').pluck()
    for (const record of all.iterate()) visitor.bytes(record as Buffer)
  }

  async readEach(numbers: readonly number[], visitor: RecordVisitor): Promise<void> {
    const one = this.#database.prepare('SELECT record FROM log WHERE number = ?').pluck()
    for (const number of numbers) visitor.bytes(one.get(number) as Buffer)
  }

  async close(): Promise<void> {
    this.#database.close()
  }
}
