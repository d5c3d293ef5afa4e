import { strict as assert } from 'node:assert'
import {
  type Consumer,
  type CreateTopicOptions,
  type DirectoryVarve,
  openVarve,
  type Producer,
} from '@varve/broker'
import { crc32c } from '@varve/record'
import { type PayloadRecord, payloadOf } from '../harness/payload.ts'
import { hashOfNumbers } from '../harness/result-hash.ts'

const KiB = 1024
const acksLevels = ['none', 'written', 'flushed'] as const
const partitions = 3
const recordBytes = 100
/** Sent at once, each with a promise of its own. */
const inFlight = 64
/** More than what a log keeps at hand for those who follow it. */
const tailCacheBytes = 4.5 * 1024 * KiB
/** Few, so that compaction has something to remove. */
const stateKeys = 500

/** Small, so that each round rolls and deletes some; what is deleted is removed at once. */
const settings = {
  segmentBytes: 64 * KiB,
  retentionBytes: 256 * KiB,
  fileDeleteDelayMs: 10,
  segmentJitterMs: 0,
}
const compacted: CreateTopicOptions = {
  ...{ segmentBytes: 64 * KiB, fileDeleteDelayMs: 10, segmentJitterMs: 0 },
  ...{ cleanupPolicy: 'compact', minCleanableDirtyRatio: 0.1 },
}

/**
 * A program that does a little of everything with topics, in rounds that are all alike. What is to
 * stay the same from round to round does: the topics, the groups, the producers and their ids, the
 * keys of the compacted topic, how much retention leaves.
 */
export class SoakLoad {
  readonly #varve: DirectoryVarve
  readonly #records: readonly PayloadRecord[]
  readonly #perRound: number
  readonly #producers: readonly Producer[]
  readonly #followers: readonly Follower[]
  #appended = 0
  /** See {@link addedTo}. */
  #sum = 0
  #retentions = 0
  #compactions = 0

  private constructor(varve: DirectoryVarve, perRound: number) {
    this.#varve = varve
    this.#perRound = perRound
    this.#records = payloadOf(recordBytes, 1_000).records
    this.#producers = acksLevels.map((acks) => varve.producer({ acks, name: `soak-${acks}` }))
    const topics = ['events']
    this.#followers = [
      new Follower(varve.consumer({ group: 'tail', topics, autoCommitMs: 200 })),
      new Follower(varve.consumer({ topics, from: 'earliest' })),
    ]
  }

  static async open(path: string, recordsPerRound: number): Promise<SoakLoad> {
    const varve = (await openVarve(path, { cleaning: false })) as DirectoryVarve
    await varve.createTopic('events', { partitions, ...settings })
    await varve.createTopic('states', { ...compacted })
    const load = new SoakLoad(varve, recordsPerRound)
    for (const follower of load.#followers) await follower.start()
    await load.#fillCaches()
    return load
  }

  /**
   * The ends of logs are kept in memory for those who follow, up to a bound. It is reached before
   * the first round, with pieces as large as those that come later.
   */
  async #fillCaches(): Promise<void> {
    const [, producer] = this.#producers
    while (this.#appended * recordBytes < partitions * tailCacheBytes) {
      const batch = this.#some(inFlight)
      await producer?.send('events', batch)
      this.#appended += inFlight
      this.#take(batch)
    }
  }

  /** Records appended to `events` so far. */
  get appended(): number {
    return this.#appended
  }

  async round(): Promise<void> {
    const share = Math.floor(this.#perRound / this.#producers.length)
    for (const producer of this.#producers) await this.#append(producer, share)
    for (const follower of this.#followers) await follower.reached(this.#appended)
    await this.#visit()
    await this.#readBack()
    await this.#changeStates(Math.floor(this.#perRound / 10))
    await this.#transact()
    await this.#queue()
    await this.#makeAndDelete()
    const { retention, compaction } = await this.#varve.cleaner.runOnce()
    this.#retentions += retention.size
    this.#compactions += compaction.size
    assert.equal(this.#varve.cleaner.failures.size, 0, 'nothing failed to be cleaned')
  }

  async close(): Promise<void> {
    await this.#varve.close()
    for (const follower of this.#followers) await follower.ended
  }

  /** Throws where something did not take part of which that was said. */
  checkTookPlace(): void {
    assert.ok(this.#retentions > 0, 'retention has deleted segments')
    assert.ok(this.#compactions > 0, 'a topic was compacted')
  }

  /** Hash of all records of `events`, in no order. Throws where a follower has read others. */
  checkRead(): string {
    for (const { sum } of this.#followers) {
      assert.equal(sum, this.#sum, 'a follower has read what was appended')
    }
    return hashOfNumbers(this.#appended, this.#sum)
  }

  /** Half of them with a promise each, half of them as lists. */
  async #append(producer: Producer, count: number): Promise<void> {
    for (let sent = 0; sent < count; ) {
      const batch = this.#some(Math.min(inFlight, count - sent))
      const isSingly = (sent / inFlight) % 2 === 0
      if (isSingly) await Promise.all(batch.map((record) => producer.send('events', record)))
      else await producer.send('events', batch)
      sent += batch.length
      this.#appended += batch.length
      this.#take(batch)
    }
    await producer.flush()
  }

  #take(batch: readonly PayloadRecord[]): void {
    for (const { key, value } of batch) this.#sum = addedTo(this.#sum, key, value)
  }

  #some(count: number): readonly PayloadRecord[] {
    const start = this.#appended % (this.#records.length - count)
    return this.#records.slice(start, start + count)
  }

  /** Two members come to a group one after the other, read what is new, and leave again. */
  async #visit(): Promise<void> {
    const options = { group: 'visitors', topics: ['events'], follow: false, autoCommitMs: 50 }
    const visitors = [this.#varve.consumer(options), this.#varve.consumer(options)]
    await Promise.all(visitors.map((visitor) => drain(visitor)))
  }

  /** From the start of one partition to its end. */
  async #readBack(): Promise<void> {
    const assignment = [{ topic: 'events', partition: 0 }]
    const reader = this.#varve.consumer({ assignment, from: 'earliest', follow: false })
    const count = await drain(reader)
    assert.ok(count > 0, 'there is something to read')
    const log = this.#varve.log('events', 1)
    const middle = Math.floor((log.logStartOffset + log.highWatermark) / 2)
    for await (const record of log.reader({ from: middle, maxBytes: 16 * KiB }).records()) {
      assert.ok(record.offset >= middle, 'a reader begins where it was told to')
      break
    }
  }

  async #changeStates(count: number): Promise<void> {
    const [, producer] = this.#producers
    for (let index = 0; index < count; index += inFlight) {
      const changes = this.#some(inFlight).map(({ value }, at) => {
        return { key: `state-${(index + at) % stateKeys}`, value }
      })
      await producer?.send('states', changes)
    }
  }

  async #transact(): Promise<void> {
    await using producer = this.#varve.producer({ transactionalId: 'soak' })
    for (let index = 0; index < 4; index++) {
      const transaction = await producer.begin()
      for (const { key, value } of this.#some(8)) await transaction.send('states', { key, value })
      if (index % 2 === 0) await transaction.commit()
      else await transaction.abort()
    }
  }

  async #queue(): Promise<void> {
    const queue = await this.#varve.queue('jobs')
    const jobs = this.#some(20)
    await Promise.all(jobs.map(({ value }) => queue.enqueue({ value })))
    await Promise.all(
      jobs.map(async () => {
        const delivery = await queue.dequeue({ waitMs: 1_000 })
        assert.ok(delivery !== null, 'what was put in a queue comes out of it')
        await delivery.acknowledge()
      }),
    )
  }

  async #makeAndDelete(): Promise<void> {
    await this.#varve.createTopic('passing', { partitions: 2, fileDeleteDelayMs: 10 })
    const [, producer] = this.#producers
    await producer?.send('passing', this.#some(20))
    await this.#varve.deleteTopic('passing')
  }
}

/** A consumer that follows for as long as the load lasts. */
class Follower {
  readonly #consumer: Consumer
  #count = 0
  #sum = 0
  #awaited = Number.POSITIVE_INFINITY
  #wake: () => void = () => undefined
  ended: Promise<void> = Promise.resolve()

  constructor(consumer: Consumer) {
    this.#consumer = consumer
  }

  async start(): Promise<void> {
    await this.#consumer.start()
    this.ended = this.#follow()
  }

  async #follow(): Promise<void> {
    for await (const { key, value } of this.#consumer) {
      this.#count += 1
      this.#sum = addedTo(this.#sum, key, value)
      if (this.#count >= this.#awaited) this.#wake()
    }
  }

  /** Of the records so far; see {@link addedTo}. */
  get sum(): number {
    return this.#sum
  }

  async reached(count: number): Promise<void> {
    if (this.#count >= count) return
    await new Promise<void>((resolve) => {
      this.#awaited = count
      this.#wake = resolve
    })
    this.#awaited = Number.POSITIVE_INFINITY
  }
}

/** A sum of checksums: partitions come in an order of their own. */
function addedTo(sum: number, key: Uint8Array | null, value: Uint8Array | null): number {
  const own = key === null ? 0 : crc32c(key)
  return (sum + (value === null ? own : crc32c(value, own))) >>> 0
}

async function drain(consumer: Consumer): Promise<number> {
  let count = 0
  for await (const _ of consumer) count += 1
  return count
}
