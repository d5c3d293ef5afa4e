import assert from 'node:assert/strict'
import type { BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, type Sample, secondsOf } from '../harness/contest.ts'
import { LoopHealth } from '../harness/loop-health.ts'
import type { PayloadRecord } from '../harness/payload.ts'
import { hashOfNumbers, hashOfTexts, ResultHash } from '../harness/result-hash.ts'
import type { Peer, PeerStore, Promised, RecordVisitor } from './peer.ts'

/**
 * Appends to a new store of a peer, checks that it holds what was appended when it is read again,
 * and gives the rate of records, with what the event loop was like meanwhile.
 */
export function appending(
  context: BenchmarkContext,
  peer: Peer,
  promised: Promised,
  records: number,
  append: (store: PeerStore) => Promise<void>,
): Contender {
  const measure = (): Promise<Sample> =>
    context.withDirectory(async (path) => {
      const store = await peer.open(path, promised)
      try {
        const health = new LoopHealth()
        const seconds = await secondsOf(() => append(store))
        const aside = health.stop()
        const content = new RecordHash()
        await store.readAll(content)
        assert.equal(content.records, records, `${peer.name} holds what was appended`)
        return { value: records / seconds, hash: content.value, aside }
      } finally {
        await store.close()
      }
    })
  return { name: peer.name, measure }
}

/**
 * Reads records and counts them while time counts, then reads them once more, to see what they are:
 * a checksum of every byte would be a larger part of what the quick ones take.
 */
export async function readingTwice(
  name: string,
  count: number,
  read: (visitor: RecordVisitor) => Promise<void>,
): Promise<Sample> {
  const tally = new RecordTally()
  const health = new LoopHealth()
  const seconds = await secondsOf(() => read(tally))
  const aside = health.stop()
  const content = new RecordHash()
  await read(content)
  assert.equal(tally.records, count, `${name} gave every record`)
  assert.equal(content.records, count, `${name} gave every record again`)
  return { value: count / seconds, hash: hashOfTexts(tally.hash, content.value), aside }
}

/** Over all bytes of all records, in order. */
class RecordHash implements RecordVisitor {
  readonly #hash = new ResultHash()
  records = 0

  bytes(record: Uint8Array): void {
    this.records += 1
    // lmdb hands out its whole buffer, with a length that says how much of it is the record.
    this.#hash.add(record.subarray(0, record.length))
  }

  keyAndValue(key: Uint8Array, value: Uint8Array): void {
    this.records += 1
    this.#hash.add(key).add(value)
  }

  text(record: string): void {
    this.bytes(Buffer.from(record, 'latin1'))
  }

  get value(): string {
    return this.#hash.value
  }
}

/** What is done with a record that is read, while time counts. */
class RecordTally implements RecordVisitor {
  #records = 0
  #bytes = 0
  #lastBytes = 0

  bytes(record: Uint8Array): void {
    this.#add(record.length, record[record.length - 1] as number)
  }

  keyAndValue(key: Uint8Array, value: Uint8Array): void {
    this.#add(key.length + value.length, value[value.length - 1] as number)
  }

  text(record: string): void {
    this.#add(record.length, record.charCodeAt(record.length - 1))
  }

  get records(): number {
    return this.#records
  }

  get hash(): string {
    return hashOfNumbers(this.#records, this.#bytes, this.#lastBytes)
  }

  #add(size: number, lastByte: number): void {
    this.#records += 1
    this.#bytes += size
    this.#lastBytes += lastByte
  }
}

/** How each of them is used, for the conditions of figures. */
export function settingsOf(peers: readonly Peer[]): Readonly<Record<string, string>> {
  return Object.fromEntries(peers.map(({ name, settings }) => [name, settings]))
}

/** The records of a payload in groups, repeated until there are `count` of them. */
export function groupsOf(
  records: readonly PayloadRecord[],
  groupSize: number,
  count: number,
): readonly (readonly PayloadRecord[])[] {
  return Array.from({ length: Math.ceil(count / groupSize) }, (_, group) =>
    Array.from({ length: groupSize }, (_, index) => {
      return records[(group * groupSize + index) % records.length] as PayloadRecord
    }),
  )
}
