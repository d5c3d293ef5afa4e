import assert from 'node:assert/strict'
import { Cleaner } from '@varve/cleaner'
import { type Log, LogDirectory } from '@varve/log'
import type { Batch } from '@varve/record'
import { type PayloadRecord, payloadOf } from '../harness/payload.ts'
import { hashOfTexts, ResultHash } from '../harness/result-hash.ts'

const MiB = 2 ** 20
const recordBytes = 1024
const segmentBytes = 32 * MiB
const recordsPerBatch = 16
const readBytes = 64 * 1024
/** Of the checksum in a batch. */
const crcAt = 17
const noBytes = Buffer.alloc(0)
const firstTimestamp = 1_790_000_000_000

export interface CompactionSceneOptions {
  /** What there is to compact. */
  readonly dirtyBytes: number
  /** How many requests are in a hash: there are never fewer. All of them are checked. */
  readonly hashedRequests: number
}

/** A log to append to, one to read from, and one that is compacted again and again. */
export class CompactionScene implements AsyncDisposable {
  readonly live: Log
  readonly read: Log
  readonly dirty: Log
  readonly dirtyBytes: number
  readonly #hashedRequests: number
  readonly #directory: LogDirectory
  readonly #cleaner: Cleaner
  readonly #records: readonly PayloadRecord[] = payloadOf(recordBytes, 1024).records
  /** What each request has read. */
  #reads: string[] = []
  #isDirty = false
  /** Where what compaction was given ends. */
  #dirtyEnd = 0

  private constructor(
    directory: LogDirectory,
    logs: readonly Log[],
    { dirtyBytes, hashedRequests }: CompactionSceneOptions,
  ) {
    const [live, read, dirty] = logs
    assert.ok(live !== undefined && read !== undefined && dirty !== undefined, 'three logs')
    this.live = live
    this.read = read
    this.dirty = dirty
    this.dirtyBytes = dirtyBytes
    this.#hashedRequests = hashedRequests
    this.#directory = directory
    const policy = (log: Log) =>
      log === dirty ? { cleanupPolicy: ['compact'] as const } : { retentionMs: -1 }
    this.#cleaner = new Cleaner(directory, { policy, workers: 1 })
  }

  static async open(path: string, options: CompactionSceneOptions): Promise<CompactionScene> {
    const directory = await LogDirectory.open(path, { log: { segmentBytes } })
    const logs: Log[] = []
    for (const topic of ['live', 'read', 'dirty']) logs.push(await directory.createLog(topic, 0))
    const scene = new CompactionScene(directory, logs, options)
    await scene.#fill(scene.read, options.dirtyBytes / 4, Number.POSITIVE_INFINITY)
    return scene
  }

  record = (index: number): PayloadRecord => {
    const record = this.#records[index % this.#records.length]
    assert.ok(record !== undefined, 'there are records')
    return record
  }

  /** Far from where the request before it read. */
  async readAt(index: number): Promise<void> {
    const { batches } = await this.read.read({ from: this.#place(index), maxBytes: readBytes })
    this.#reads[index] = batches.map(sumOf).join(' ')
  }

  /** Unless it is dirty already, because nothing has compacted it since. */
  async makeDirty(): Promise<void> {
    this.#reads = []
    if (this.#isDirty) return
    await this.#fill(this.dirty, this.dirtyBytes, this.#keys)
    this.#isDirty = true
    this.#dirtyEnd = this.dirty.logEndOffset
  }

  async compact(): Promise<void> {
    const { compaction } = await this.#cleaner.runOnce()
    assert.deepEqual([...compaction.keys()], [this.dirty.name], 'the log was compacted')
    this.#isDirty = false
  }

  /** Throws where a log does not hold, from an offset on, what so many requests appended. */
  async checkAppends(target: 'live' | 'dirty', from: number, requests: number): Promise<string> {
    const hash = new ResultHash()
    let index = 0
    for await (const { key, value } of this[target].reader({ from }).records()) {
      const { bytes } = this.record(index)
      const found = Buffer.concat([key ?? noBytes, value ?? noBytes])
      assert.ok(found.equals(bytes), 'every append is in the log, in its order')
      if (index < this.#hashedRequests) hash.add(found)
      index += 1
    }
    assert.equal(index, requests, 'there are as many as were made')
    assert.ok(requests >= this.#hashedRequests, 'there were enough requests')
    return hash.value
  }

  /** Throws where requests have read something else than the log holds. */
  async checkReads(requests: number): Promise<string> {
    const sums = new Set<string>()
    for await (const batch of this.read.reader({ from: 0 })) sums.add(sumOf(batch))
    assert.equal(this.#reads.length, requests, 'every request has read something')
    assert.ok(requests >= this.#hashedRequests, 'there were enough requests')
    for (const [index, text] of this.#reads.entries()) {
      const read = text.split(' ')
      const place = this.#place(index)
      assert.ok(read[0]?.startsWith(`${place - (place % recordsPerBatch)}:`), 'at its place')
      assert.ok(
        read.every((sum) => sums.has(sum)),
        'what was read is in the log',
      )
    }
    return hashOfTexts(...this.#reads.slice(0, this.#hashedRequests))
  }

  /**
   * Hash of the newest record of each key that was written to be compacted. Throws where there is
   * an older one beside it in what was compacted.
   */
  async checkDirty(): Promise<string> {
    const newest = new Map<string, Buffer>()
    for await (const { offset, key, value } of this.dirty.reader({ from: 0 }).records()) {
      if (offset >= this.#dirtyEnd) break
      const name = key?.toString('latin1') ?? ''
      assert.ok(this.#isDirty || !newest.has(name), 'compaction leaves one record of a key')
      newest.set(name, value ?? noBytes)
    }
    const hash = new ResultHash()
    for (let key = 0; key < this.#keys; key++) hash.add(newest.get(keyOf(key)) ?? noBytes)
    return hash.value
  }

  get #keys(): number {
    return this.dirtyBytes / recordBytes / 2
  }

  #place(index: number): number {
    return (index * 7919 * recordsPerBatch) % this.read.highWatermark
  }

  async #fill(log: Log, sizeBytes: number, keys: number): Promise<void> {
    const count = sizeBytes / recordBytes
    for (let first = 0; first < count; first += recordsPerBatch) {
      const batch = Array.from({ length: recordsPerBatch }, (_, index) => ({
        key: keyOf((first + index) % keys),
        value: this.record(first + index).value,
        timestamp: firstTimestamp + first,
      }))
      await log.append(batch, { acks: 'none' })
    }
    await log.roll()
    await log.flush()
    await log.settle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleaner.close()
    await this.#directory.close()
  }
}

function keyOf(number: number): string {
  return `user-${String(number).padStart(7, '0')}`
}

/** Says which batch it is, and what is in it: its checksum was compared with its bytes. */
function sumOf({ baseOffset, bytes }: Batch): string {
  return `${baseOffset}:${bytes.readUInt32BE(crcAt)}`
}
