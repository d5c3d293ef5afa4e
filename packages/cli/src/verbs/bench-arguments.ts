import type { KeyDistribution, Pacing, PayloadKind } from '@varve/bench'
import { InvalidArgumentError } from '@varve/record'
import type { Argv } from 'yargs'
import type {
  BenchOptions,
  KeyArguments,
  PayloadOptions,
  ProduceRunOptions,
  RecordRunOptions,
} from '../bench/bench-options.ts'
import { flag, number, text } from './verb-options.ts'

// What several workloads of `varve bench` take, and what is made of it.

export interface BaseArguments {
  readonly json: boolean
  readonly data: string
  readonly seed: number
  readonly report: string | undefined
}

export interface PayloadArguments {
  readonly 'record-size': string
  readonly payload: string
  readonly 'payload-file': string | undefined
  readonly 'payload-delimiter': string
}

export interface KeysArguments {
  readonly keys: string
  readonly 'key-range': number
}

export interface RecordArguments extends BaseArguments, PayloadArguments, KeysArguments {
  readonly topic: string | undefined
  readonly existing: boolean
  readonly keep: boolean
  readonly partitions: number
  readonly records: number | undefined
  readonly warmup: number
  readonly interval: number
  readonly compression: string
  readonly 'batch-size': string
}

export interface SendingArguments {
  readonly acks: string
  readonly linger: number
  readonly 'in-flight': number
  readonly producers: number
  readonly duration: number | undefined
  readonly rate: number | undefined
  readonly rates: string | undefined
  readonly pacing: string
  readonly hlog: string | undefined
  readonly hgrm: string | undefined
}

/** `place`: what `--data` may be. */
export function withBase<T>(
  verb: Argv<T>,
  place = 'a directory on the disk that is meant',
): Argv<T & Omit<BaseArguments, 'json'>> {
  return verb
    .option('data', { ...text, default: '.', describe: `Where: ${place}` })
    .option('seed', { ...number, default: 2026, describe: 'Of payloads and keys' })
    .option('report', { ...text, describe: 'Write an HTML page with plots to this file' })
}

export function withPayload<T>(verb: Argv<T>): Argv<T & PayloadArguments> {
  return verb
    .option('record-size', { ...text, default: '1024', describe: 'Bytes of a value, as 10KiB' })
    .option('payload', {
      ...text,
      choices: ['json', 'text', 'compressed'],
      default: 'json',
      describe: 'What values are made of',
    })
    .option('payload-file', { ...text, describe: 'Take values from this file instead' })
    .option('payload-delimiter', { ...text, default: '\\n', describe: 'What stands between them' })
}

const keyDistributions: readonly KeyDistribution[] = ['none', 'sequential', 'uniform', 'zipf']
/** Where every record has to have a key. */
export const realKeys: readonly KeyDistribution[] = ['sequential', 'uniform', 'zipf']

export function withKeyOptions<T>(
  verb: Argv<T>,
  defaults: { readonly keys: KeyDistribution; readonly range: number },
  choices: readonly KeyDistribution[] = keyDistributions,
): Argv<T & KeysArguments> {
  return verb
    .option('keys', {
      ...text,
      choices,
      default: defaults.keys as string,
      describe: 'How keys are drawn',
    })
    .option('key-range', {
      ...number,
      default: defaults.range,
      describe: 'How many keys there are',
    })
}

const acksChoices = ['none', 'written', 'flushed', '0', '1', 'all', '-1']
const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export function withRecords<T>(verb: Argv<T>): Argv<T & Omit<RecordArguments, 'json'>> {
  const place = 'a directory on the disk that is meant, or kafka://host:port'
  return withKeyOptions(withPayload(withBase(verb, place)), { keys: 'none', range: 10_000 })
    .option('topic', { ...text, describe: 'A topic in --data itself, instead of a scratch one' })
    .option('existing', { ...flag, describe: 'The topic is there, and may be written to' })
    .option('keep', { ...flag, describe: 'Leave what the run made' })
    .option('partitions', { ...number, default: 1, describe: 'Of the topic that is made' })
    .option('records', { ...number, describe: 'How many are counted' })
    .option('warmup', { ...number, default: 2, describe: 'Seconds beforehand that do not count' })
    .option('interval', { ...number, default: 5, describe: 'Seconds between lines of progress' })
    .option('compression', {
      ...text,
      choices: compressionTypes,
      default: 'none',
      describe: 'Codec',
    })
    .option('batch-size', { ...text, default: '64KiB', describe: 'A batch is sent when so large' })
}

export function withSending<T>(verb: Argv<T>): Argv<T & SendingArguments> {
  return verb
    .option('acks', {
      ...text,
      choices: acksChoices,
      default: 'flushed',
      describe: 'Acknowledged when; 0, 1 and all mean none, written and flushed',
    })
    .option('linger', { ...number, default: 0, describe: 'Wait so many ms for larger batches' })
    .option('in-flight', { ...number, default: 1024, describe: 'Records on their way at once' })
    .option('producers', { ...number, default: 1, describe: 'Producers that share the work' })
    .option('duration', { ...number, describe: 'Seconds that count; 10 without --records' })
    .option('rate', { ...number, describe: 'Records a second; without it, or with -1, flat out' })
    .option('rates', { ...text, describe: 'Several, one after the other: 1000,5000,-1' })
    .conflicts('rate', 'rates')
    .option('pacing', {
      ...text,
      choices: ['precise', 'timer'],
      default: 'precise',
      describe: 'Meet moments by turning the event loop, or rest up to a millisecond too long',
    })
    .option('hlog', { ...text, describe: 'Write the latencies as an HDR histogram log' })
    .option('hgrm', { ...text, describe: 'Write their distribution for HdrHistogram’s plotter' })
}

export function baseOf(given: BaseArguments): BenchOptions {
  const { json, data, seed, report = null } = given
  return { json, data, seed, report }
}

export function payloadOf(given: PayloadArguments): PayloadOptions {
  return {
    recordSize: given['record-size'],
    payload: given.payload as PayloadKind,
    payloadFile: given['payload-file'] ?? null,
    payloadDelimiter: given['payload-delimiter'],
  }
}

export function keysArgumentsOf(given: KeysArguments): KeyArguments {
  return { keys: given.keys as KeyDistribution, keyRange: given['key-range'] }
}

const kafkaAcks: Readonly<Record<string, ProduceRunOptions['acks']>> = {
  '0': 'none',
  '1': 'written',
  all: 'flushed',
  '-1': 'flushed',
}

export function recordRunOf(given: RecordArguments): RecordRunOptions {
  const { topic = null, existing, keep, partitions, records = null, warmup, interval } = given
  return {
    ...{ ...baseOf(given), ...payloadOf(given), ...keysArgumentsOf(given) },
    ...{ topic, existing, keep, partitions, records, warmup, interval },
    compression: given.compression as RecordRunOptions['compression'],
    batchSize: given['batch-size'],
  }
}

/** Throws InvalidArgumentError. */
export function produceRunOf(given: RecordArguments & SendingArguments): ProduceRunOptions {
  const { duration = null, rate, rates, hlog = null, hgrm = null } = given
  const { acks, linger, producers } = given
  return {
    ...recordRunOf(given),
    ...{ duration, hlog, hgrm, linger, producers },
    acks: kafkaAcks[acks] ?? (acks as ProduceRunOptions['acks']),
    inFlight: given['in-flight'],
    rates: rates === undefined ? [rate ?? -1] : listOfRates(rates),
    pacing: given.pacing as Pacing,
  }
}

function listOfRates(given: string): readonly number[] {
  const rates = given.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)))
  if (rates.every((rate) => Number.isFinite(rate))) return rates
  throw new InvalidArgumentError('--rates', given, 'must be numbers with commas between them')
}
