import type { Offset, RecordHeaderInput, RecordInput, Timestamp } from '@varve/record'
import type { RawRecord } from './handled-record.ts'

/**
 * The headers that a dead letter has besides those of the record itself. All are UTF-8 text;
 * numbers are decimal.
 */
export const deadLetterHeaders = {
  topic: 'varve.dead-letter.topic',
  partition: 'varve.dead-letter.partition',
  offset: 'varve.dead-letter.offset',
  timestamp: 'varve.dead-letter.timestamp',
  attempts: 'varve.dead-letter.attempts',
  error: 'varve.dead-letter.error',
  time: 'varve.dead-letter.time',
} as const

const headerPrefix = 'varve.dead-letter.'
/** An error's message may hold anything; the record must still fit. */
const errorCharactersMax = 1000

/** Why a record was given up. */
export interface Failure {
  /** How often it was tried. */
  readonly attempts: number
  readonly error: unknown
  /** When it was given up, in ms since the epoch. */
  readonly timestamp: Timestamp
}

/** Where a dead letter came from, and why it is one. */
export interface DeadLetter {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  /** Of the record itself. */
  readonly timestamp: Timestamp
  readonly attempts: number
  /** Name and message of the error. */
  readonly error: string
  /** When it was given up. */
  readonly failedAt: Timestamp
  /** The record's own headers. */
  readonly headers: readonly RecordHeaderInput[]
}

/** The topic that takes what a topic's, or a group's, handlers give up. */
export function deadLetterTopicOf(topic: string): string {
  return `${topic}.dead-letter`
}

/** The record to append to the dead-letter topic: key, value and headers are kept. */
export function toDeadLetter(record: RawRecord, failure: Failure): RecordInput {
  const { topic, partition, offset, timestamp, key, value } = record
  const notes: Record<keyof typeof deadLetterHeaders, string> = {
    topic,
    partition: String(partition),
    offset: String(offset),
    timestamp: String(timestamp),
    attempts: String(failure.attempts),
    error: describeError(failure.error),
    time: String(failure.timestamp),
  }
  const headers = ownHeaders(record.headers)
  for (const [name, note] of Object.entries(notes)) {
    headers.push({ key: deadLetterHeaders[name as keyof typeof notes], value: note })
  }
  return { key, value, headers, timestamp: failure.timestamp }
}

/** Null for a record that is no dead letter, or not one that was made here. */
export function readDeadLetter(record: Pick<RawRecord, 'headers'>): DeadLetter | null {
  const found = new Map(record.headers.map(({ key, value }) => [key, value?.toString() ?? '']))
  const text = (name: keyof typeof deadLetterHeaders): string =>
    found.get(deadLetterHeaders[name]) ?? ''
  const integer = (name: keyof typeof deadLetterHeaders): number =>
    /^-?\d+$/.test(text(name)) ? Number(text(name)) : Number.NaN
  const topic = text('topic')
  const numbers = {
    partition: integer('partition'),
    offset: integer('offset'),
    timestamp: integer('timestamp'),
    attempts: integer('attempts'),
    failedAt: integer('time'),
  }
  const isWhole = topic !== '' && Object.values(numbers).every(Number.isSafeInteger)
  if (!isWhole || numbers.partition < 0 || numbers.offset < 0) return null
  return { topic, ...numbers, error: text('error'), headers: ownHeaders(record.headers) }
}

function ownHeaders(headers: readonly RecordHeaderInput[]): RecordHeaderInput[] {
  return headers.filter(({ key }) => !key.startsWith(headerPrefix))
}

function describeError(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  return text.length > errorCharactersMax ? `${text.slice(0, errorCharactersMax)}…` : text
}
