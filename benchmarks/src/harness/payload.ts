import { jsonEvent, SeededRandom } from '@varve/bench'
import { compress, type RecordInput } from '@varve/record'

/** A record as memory has it: bytes, so that encoding text is not what is measured. */
export interface PayloadRecord extends RecordInput {
  readonly key: Buffer
  readonly value: Buffer
  /** Both, the one behind the other. */
  readonly bytes: Buffer
}

/** Records that stand for what people log. */
export interface Payload {
  readonly records: readonly PayloadRecord[]
  /** Key and value of each record together. */
  readonly recordBytes: number
  /** For the conditions of a figure. */
  readonly description: string
}

const keyBytes = 12
const seed = 20_26

const made = new Map<string, Payload>()

/**
 * `count` different JSON events of exactly `recordBytes`, key included; the same ones in every run.
 * Made once: benchmarks share them.
 */
export function payloadOf(recordBytes: number, count: number): Payload {
  const name = `${recordBytes} ${count}`
  let payload = made.get(name)
  if (payload === undefined) {
    payload = makePayload(recordBytes, count)
    made.set(name, payload)
  }
  return payload
}

function makePayload(recordBytes: number, count: number): Payload {
  const random = new SeededRandom(seed)
  const records: PayloadRecord[] = []
  // Neighbours in memory, as they would be had they come out of a socket.
  const bytes = Buffer.alloc(recordBytes * count)
  for (let index = 0; index < count; index++) {
    const start = index * recordBytes
    const key = bytes.subarray(start, start + keyBytes)
    const value = bytes.subarray(start + keyBytes, start + recordBytes)
    key.write(`user-${String(random.integer(10_000_000)).padStart(7, '0')}`, 'latin1')
    value.write(jsonEvent(random, index, value.length), 'latin1')
    records.push({ key, value, bytes: bytes.subarray(start, start + recordBytes) })
  }
  const gzipped = compress('gzip', bytes.subarray(0, Math.min(bytes.length, 64 * 1024)))
  const ratio = gzipped.length / Math.min(bytes.length, 64 * 1024)
  const description = `JSON events of ${recordBytes} bytes (key ${keyBytes}), seed ${seed}, gzip to ${ratio.toFixed(2)}`
  return { records, recordBytes, description }
}
