import { compress, InvalidArgumentError } from '@varve/record'
import { jsonEvent } from './json-event.ts'
import { prose } from './prose.ts'
import { SeededRandom } from './seeded-random.ts'

/**
 * What the values of records are made of: `json` events, English `text`, or bytes that are
 * `compressed` already.
 */
export type PayloadKind = 'json' | 'text' | 'compressed'

/** Values that a run sends in turn, again and again. */
export interface Payload {
  /** At least one. */
  readonly values: readonly [Buffer, ...Buffer[]]
  /** What it is, and how well it compresses: a condition of every figure. */
  readonly description: string
}

/** Different values are made up to about so many bytes, so that no cache holds all of them. */
const poolBytesDefault = 16 * 2 ** 20
const poolValuesMax = 16_384
const sampleBytes = 64 * 1024

/**
 * The same values for the same seed. Throws InvalidArgumentError.
 *
 * @param poolBytes how many bytes of different values are made
 */
export function generatePayload(
  kind: PayloadKind,
  valueBytes: number,
  seed: number,
  poolBytes: number = poolBytesDefault,
): Payload {
  if (!Number.isSafeInteger(valueBytes) || valueBytes < 1 || valueBytes > 2 ** 30) {
    throw new InvalidArgumentError('recordBytes', valueBytes, 'must be an integer, 1 to 2^30')
  }
  const random = new SeededRandom(seed)
  const fitting = Math.floor(poolBytes / valueBytes)
  const count = Math.max(1, Math.min(poolValuesMax, fitting))
  const make = (index: number): Buffer => makers[kind](random, index, valueBytes)
  const values = Array.from({ length: count }, (_, at) => make(at))
  const name = `${names[kind]} of ${valueBytes} bytes, seed ${seed}`
  return payloadOf(values, name)
}

/** A value for each part of a file between delimiters. Throws InvalidArgumentError. */
export function payloadOfFile(content: Buffer, delimiter: string, path: string): Payload {
  const mark = Buffer.from(delimiter)
  if (mark.length === 0) {
    throw new InvalidArgumentError('payloadDelimiter', delimiter, 'must not be empty')
  }
  const values: Buffer[] = []
  let start = 0
  while (start < content.length) {
    const found = content.indexOf(mark, start)
    const end = found < 0 ? content.length : found
    if (end > start) values.push(content.subarray(start, end))
    start = end + mark.length
  }
  if (values.length === 0) {
    throw new InvalidArgumentError('payloadFile', path, 'holds no payloads')
  }
  return payloadOf(values, `${values.length} payloads of a file`)
}

const names: Readonly<Record<PayloadKind, string>> = {
  json: 'JSON events',
  text: 'English text',
  compressed: 'compressed data',
}

const makers: Readonly<
  Record<PayloadKind, (random: SeededRandom, index: number, bytes: number) => Buffer>
> = {
  json: (random, index, bytes) => Buffer.from(jsonEvent(random, index, bytes), 'latin1'),
  text: (random, _, bytes) => Buffer.from(prose(random, bytes), 'latin1'),
  compressed: (random, _, bytes) => noise(random, bytes),
}

/** What a codec leaves looks like noise, and no other codec finds anything in it. */
function noise(random: SeededRandom, size: number): Buffer {
  const bytes = Buffer.alloc(Math.ceil(size / 4) * 4)
  for (let at = 0; at < bytes.length; at += 4) {
    bytes.writeUInt32LE(random.integer(2 ** 32), at)
  }
  return bytes.subarray(0, size)
}

function payloadOf(values: readonly Buffer[], name: string): Payload {
  const [first = Buffer.alloc(0), ...others] = values
  const sample: Buffer[] = []
  let bytes = 0
  for (const value of values) {
    if (bytes >= sampleBytes) break
    sample.push(value)
    bytes += value.length
  }
  const ratio = compress('gzip', Buffer.concat(sample)).length / bytes
  return { values: [first, ...others], description: `${name}, gzip to ${ratio.toFixed(2)}` }
}
