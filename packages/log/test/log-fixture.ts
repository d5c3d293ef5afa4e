import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { cpSync, rmSync } from 'node:fs'
import { basename } from 'node:path'
import {
  type Batch,
  endTransactionMarkerBatch,
  type RecordBatch,
  RecordBatchBuilder,
  type RecordInput,
} from '@varve/record'
import type { LogOptions } from '../src/base/log-options.ts'
import type { Log } from '../src/log.ts'
import { LogDirectory, type LogDirectoryOptions } from '../src/log-directory.ts'
import type { ReadOptions } from '../src/read/log-reader.ts'
import type { ReadOnlyLog } from '../src/read/read-only-log.ts'
import type { FileSystem } from '../src/storage/file-system.ts'
import { nodeFileSystem } from '../src/storage/node-file-system.ts'
import { ManualClock, makeTemporaryDirectory, SimulatedFileSystem } from '../src/testing/index.ts'

/** A data directory to be, on one file system or the other. */
export interface Place<Fs extends FileSystem = FileSystem> {
  readonly fs: Fs
  /** Of the data directory. */
  readonly path: string
  /** What the next process finds when the one that has it open is killed now. */
  killed(): Place<Fs>
}

export function simulatedPlace(
  fs: SimulatedFileSystem = new SimulatedFileSystem(),
): Place<SimulatedFileSystem> {
  return { fs, path: '/data', killed: () => simulatedPlace(fs.fork()) }
}

export function realPlace(): Place {
  const parent = makeTemporaryDirectory()
  return realPlaceAt(`${parent.path}/data`)
}

function realPlaceAt(path: string): Place {
  const killed = (): Place => {
    const copy = `${makeTemporaryDirectory().path}/data`
    // Opening a lock file of this process a second time would drop its locks.
    cpSync(path, copy, { recursive: true, filter: (from) => basename(from) !== '.lock' })
    return realPlaceAt(copy)
  }
  return { fs: nodeFileSystem, path, killed }
}

/** For `describe.each`: what runs on both. */
export const places: ReadonlyArray<readonly [string, () => Place]> = [
  ['the simulated file system', simulatedPlace],
  ['the real file system', realPlace],
]

/** Removes what a real place has on disk, sooner than the process's end. */
export function removePlace(place: Place): void {
  if (place.fs === nodeFileSystem) rmSync(place.path, { recursive: true, force: true })
}

/** On a clock that stands still, with settings small enough to see segments. */
export function openDirectory(
  place: Place,
  log: LogOptions = {},
  options: LogDirectoryOptions = {},
): Promise<LogDirectory> {
  const clock = new ManualClock()
  return LogDirectory.open(place.path, { fs: place.fs, clock, random: () => 0.5, log, ...options })
}

/** Opens a place and makes the log `t-0` in it. */
export async function createLog(
  place: Place,
  log: LogOptions = {},
  options: LogDirectoryOptions = {},
): Promise<{ readonly directory: LogDirectory; readonly log: Log }> {
  const directory = await openDirectory(place, log, options)
  return { directory, log: await directory.createLog('t', 0) }
}

/** Opens a place again, with the log `t-0` in it. */
export async function reopenLog(
  place: Place,
  log: LogOptions = {},
  options: LogDirectoryOptions = {},
): Promise<{ readonly directory: LogDirectory; readonly log: Log }> {
  const directory = await openDirectory(place, log, options)
  return { directory, log: directory.log('t', 0) }
}

/** `v0`, `v1`, … from the log's end on, an append each, in segments of `perSegment`. */
export async function appendValues(log: Log, count: number, perSegment = count): Promise<void> {
  for (let index = 0; index < count; index++) {
    await log.append({ value: `v${log.logEndOffset}`, timestamp: 1000 + log.logEndOffset })
    if ((index + 1) % perSegment === 0 && index + 1 < count) await log.roll()
  }
}

export interface ReadValue {
  readonly offset: number
  readonly value: string | null
}

/** Everything from an offset to the end. */
export async function readAll(
  log: Log | ReadOnlyLog,
  options: Partial<ReadOptions> = {},
): Promise<ReadValue[]> {
  const found: ReadValue[] = []
  for await (const record of log.reader({ from: log.logStartOffset, ...options }).records()) {
    found.push({ offset: record.offset, value: record.value?.toString() ?? null })
  }
  return found
}

export async function offsetsOf(
  log: Log | ReadOnlyLog,
  options: Partial<ReadOptions> = {},
): Promise<number[]> {
  return (await readAll(log, options)).map(({ offset }) => offset)
}

/** What `appendValues` leaves in the offsets from `from` to before `to`. */
export function values(from: number, to: number): ReadValue[] {
  return Array.from({ length: to - from }, (_, index) => {
    const offset = from + index
    return { offset, value: `v${offset}` }
  })
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

export interface BatchShape {
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly baseOffset?: number
  readonly leaderEpoch?: number
  readonly timestamp?: number
}

export function batchOf(records: readonly RecordInput[], shape: BatchShape = {}): RecordBatch {
  const { timestamp = 1000, ...options } = shape
  const builder = new RecordBatchBuilder({ ...options, defaultTimestamp: timestamp })
  for (const record of records) builder.append(record)
  return builder.build()
}

/** A producer that numbers its batches, as a client does. */
export class TestProducer {
  readonly producerId: number
  readonly producerEpoch: number
  sequence = 0

  constructor(producerId: number, producerEpoch = 0) {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
  }

  batch(count: number, options: { readonly isTransactional?: boolean } = {}): RecordBatch {
    const { producerId, producerEpoch, sequence: baseSequence } = this
    this.sequence += count
    const records = range(0, count).map((index) => ({ value: `p${producerId}-${index}` }))
    return batchOf(records, { producerId, producerEpoch, baseSequence, ...options })
  }

  marker(type: 'abort' | 'commit', coordinatorEpoch = 0): RecordBatch {
    const { producerId, producerEpoch } = this
    return endTransactionMarkerBatch({
      type,
      producerId,
      producerEpoch,
      coordinatorEpoch,
      timestamp: 1000,
    })
  }
}

/** Names in a directory, sorted. */
export function namesIn(place: Place, directory = 't-0'): string[] {
  return [...place.fs.list(`${place.path}/${directory}`)].sort()
}

export function bytesAt(place: Place, path: string): Buffer {
  const file = place.fs.open(`${place.path}/${path}`, 'read')
  try {
    const bytes = Buffer.alloc(file.sizeBytes())
    file.readSync(bytes, 0)
    return bytes
  } finally {
    file.close()
  }
}

/** Puts bytes in place of a file, or a file in place of nothing. */
export function putBytes(place: Place, path: string, bytes: Uint8Array): void {
  const file = place.fs.open(`${place.path}/${path}`, 'replace')
  try {
    if (bytes.length > 0) file.writeSync(bytes, 0)
  } finally {
    file.close()
  }
}

/** `00000000000000000017.log` */
export function fileOf(baseOffset: number, kind = 'log'): string {
  return `${String(baseOffset).padStart(20, '0')}.${kind}`
}

/** What is published on a channel while `action` runs. */
export async function eventsOf<Event>(
  channel: { readonly name: string | symbol },
  action: () => Promise<unknown>,
): Promise<Event[]> {
  const events: Event[] = []
  const listen = (event: unknown): void => void events.push(event as Event)
  subscribe(channel.name, listen)
  try {
    await action()
  } finally {
    unsubscribe(channel.name, listen)
  }
  return events
}

/** What a promise rejects with; fails when it does not. */
export async function errorOf<Expected extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...args: never[]) => Expected,
): Promise<Expected> {
  const outcome: unknown = await promise.then(
    () => new Error('it was expected to reject'),
    (error: unknown) => error,
  )
  if (outcome instanceof type) return outcome
  throw outcome
}

/** Sizes and offsets of batches, for comparing. */
export function spanOf(batch: Batch): readonly [number, number] {
  return [batch.baseOffset, batch.lastOffset]
}
