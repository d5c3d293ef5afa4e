import { messageBytesFor, type Payload } from '@varve/bench'
import { InvalidArgumentError } from '@varve/record'
import { requireCount } from '../option-checks.ts'
import type { KeyArguments, ProduceRunOptions, RecordRunOptions } from './bench-options.ts'
import { parseByteSize } from './byte-size.ts'

// What the library would refuse later, or by another name, is refused by its option before anything
// is made. All of these throw InvalidArgumentError.

/** As of a record: memory holds several. */
const batchBytesMax = 2 ** 28
/** Positions in a segment's index have 32 bits. */
const segmentBytesMax = 2 ** 31 - 1
const lingerMsMax = 60_000
const ratesMax = 10_000_000

export function batchBytesOf(given: string): number {
  const bytes = parseByteSize('--batch-size', given)
  if (bytes <= batchBytesMax) return bytes
  throw new InvalidArgumentError('--batch-size', given, 'must be 256 MiB or less')
}

/** Of a log with records of the payload. */
export function segmentBytesOf(given: string, payload: Payload): number {
  const bytes = parseByteSize('--segment-size', given)
  const leastBytes = messageBytesFor(payload, 0)
  if (bytes >= leastBytes && bytes <= segmentBytesMax) return bytes
  const rule = `must be ${leastBytes} to ${segmentBytesMax}: it holds a batch of such records`
  throw new InvalidArgumentError('--segment-size', given, rule)
}

export function checkKeys({ keyRange }: KeyArguments): void {
  requireCount('key-range', keyRange, 1)
}

export function checkRecordRun(options: RecordRunOptions): void {
  requireCount('partitions', options.partitions, 1)
  requireCount('records', options.records, 1)
  checkKeys(options)
  const { warmup, interval, topic, existing } = options
  requireSeconds('--warmup', warmup, 0)
  requireSeconds('--interval', interval, 1)
  batchBytesOf(options.batchSize)
  if (existing && topic === null) {
    throw new InvalidArgumentError('--existing', true, 'needs the --topic that exists')
  }
}

export function checkSending(options: ProduceRunOptions): void {
  const { inFlight, producers, linger, duration, rates } = options
  requireCount('in-flight', inFlight, 1)
  requireCount('producers', producers, 1)
  if (inFlight < producers) {
    const rule = `must be as many as --producers, ${producers}, or more: each has a record on its way`
    throw new InvalidArgumentError('--in-flight', inFlight, rule)
  }
  if (!(Number.isSafeInteger(linger) && linger >= 0 && linger <= lingerMsMax)) {
    throw new InvalidArgumentError('--linger', linger, 'must be whole milliseconds, 0 to 60,000')
  }
  if (duration !== null && !(duration > 0 && duration <= secondsMax)) {
    throw new InvalidArgumentError('--duration', duration, 'must be more than 0 seconds')
  }
  for (const rate of rates) checkRate(rate)
}

export function checkPoll(poll: number): void {
  if (Number.isSafeInteger(poll) && poll >= 1 && poll <= 60_000) return
  throw new InvalidArgumentError('--poll', poll, 'must be whole milliseconds, 1 to 60,000')
}

/** A year: beyond it somebody has mistyped. */
const secondsMax = 365 * 86_400

function requireSeconds(option: string, seconds: number, min: number): void {
  if (seconds >= min && seconds <= secondsMax) return
  throw new InvalidArgumentError(option, seconds, `must be ${min} seconds or more`)
}

function checkRate(rate: number): void {
  if (rate === -1 || (rate > 0 && rate <= ratesMax)) return
  const rule = 'must be records a second, ten million at most, or -1 for flat out'
  throw new InvalidArgumentError('--rate', rate, rule)
}
