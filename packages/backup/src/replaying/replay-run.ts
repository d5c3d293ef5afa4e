import { createHash } from 'node:crypto'
import { type Clock, type FileSystem, nodeFileSystem, systemClock } from '@varve/log'
import type { Offset } from '@varve/record'
import type { BackupGap } from '../format/manifest.ts'
import type { OpenTransactions } from '../reading/committed-records.ts'
import type { GroupOffset } from '../reading/group-offsets.ts'
import type { HistoryPartition, RecordHistory } from '../reading/record-history.ts'
import { type BackupProgress, ProgressMeter } from '../taking/progress-meter.ts'
import { type ClampedOffset, mapGroupOffsets, type ReplayedPartition } from './group-mapping.ts'
import { OffsetMapFile, type OffsetRun } from './offset-map.ts'
import { type ReplayChunk, replayChunks } from './replay-chunks.ts'
import { ReplayRefusedError } from './replay-errors.ts'
import { filterText, type ReplayFilter } from './replay-filter.ts'
import type { PreparedTopic, ReplayPosition, ReplaySink } from './replay-sink.ts'

export interface ReplayOptions {
  /** File that takes the map of offsets; with it an interrupted replay goes on. */
  readonly map: string
  /** Which topics. @defaultValue all but Kafka's own and Varve's */
  readonly select?: (topic: string) => boolean
  /** New names of topics. @defaultValue their own */
  readonly rename?: ReadonlyMap<string, string>
  /** Which records. @defaultValue all */
  readonly filter?: ReplayFilter
  /** Offsets of groups, to be set in the target. @defaultValue none */
  readonly groups?: readonly GroupOffset[]
  /**
   * What happens where the source ends with a transaction of which nobody knows how it ends: the
   * partition's replay stops before it, or goes on without its records. @defaultValue 'stop'
   */
  readonly openTransactions?: OpenTransactions
  /** Records of about so many bytes are one transaction. @defaultValue 4 MiB */
  readonly transactionBytes?: number
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BackupProgress) => void
  /** Of the map. @defaultValue the real file system */
  readonly fs?: FileSystem
  readonly clock?: Clock
}

export interface ReplayedTopicPartition extends ReplayedPartition {
  /** One more than the last offset of the source. */
  readonly endOffset: Offset
}

export interface ReplayReport {
  /** Its name: the group in which the target keeps how far it has come. */
  readonly replay: string
  readonly from: string
  readonly to: string
  readonly map: string
  /** By this run; what runs before it did is not counted. */
  readonly records: number
  readonly transactions: number
  readonly sizeBytes: number
  readonly partitions: readonly ReplayedTopicPartition[]
  /** Topics of the target that were made. */
  readonly made: readonly string[]
  /** Groups whose offsets were set. */
  readonly groups: readonly string[]
  /** Groups' offsets that do not stand exactly where they stood. */
  readonly clamped: readonly ClampedOffset[]
  /** What the source should have had, and partitions that end before an open transaction. */
  readonly gaps: readonly BackupGap[]
  readonly durationMs: number
}

/**
 * Replays records into topics of a live data directory, or of a cluster: committed ones, in the
 * order of their partitions, with keys, values, headers and times as they were. Offsets are new;
 * the map says which is which.
 *
 * Records, and how far it has come, go into the target in one transaction. So a replay that was
 * interrupted, however hard, goes on by being run again: nothing is lost, and nothing comes twice.
 * Run again with a newer backup of the same source it adds what is new.
 *
 * Rejects with ReplayRefusedError before anything was changed, and with whatever reading or
 * appending rejects with.
 */
export function replayHistory(
  history: RecordHistory,
  sink: ReplaySink,
  options: ReplayOptions,
): Promise<ReplayReport> {
  return new ReplayRun(history, sink, options).run()
}

/** Topics of Kafka and of Varve, which only they write. */
const ownTopics: ReadonlySet<string> = new Set([
  '__cluster_metadata',
  '__consumer_offsets',
  '__share_group_state',
  '__transaction_state',
  '__varve_queue_state',
])

const transactionBytesDefault = 4 * 2 ** 20
/** Larger batches gain nothing. */
const chunkBytesMax = 64 * 1024
/** Of a batch without records. */
const batchHeaderBytes = 61

/** A partition while it is being replayed. */
class Lane {
  readonly source: HistoryPartition
  readonly to: string
  readonly chunks: AsyncGenerator<ReplayChunk, void, undefined>
  reached: Offset

  constructor(
    source: HistoryPartition,
    to: string,
    chunks: AsyncGenerator<ReplayChunk, void, undefined>,
    reached: Offset,
  ) {
    this.source = source
    this.to = to
    this.chunks = chunks
    this.reached = reached
  }
}

interface Placed {
  readonly lane: Lane
  readonly chunk: ReplayChunk
}

class ReplayRun {
  readonly #history: RecordHistory
  readonly #sink: ReplaySink
  readonly #options: ReplayOptions
  readonly #clock: Clock
  readonly #name: string
  /** Those that are not read to their end. */
  #active: Lane[] = []
  #records = 0
  #transactions = 0
  #sizeBytes = 0

  constructor(history: RecordHistory, sink: ReplaySink, options: ReplayOptions) {
    this.#history = history
    this.#sink = sink
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const { filter = {}, rename = new Map() } = options
    const renamed = [...rename].sort(([a], [b]) => (a < b ? -1 : 1))
    const what = JSON.stringify([history.sourceId, renamed, filterText(filter)])
    this.#name = `varve-replay-${createHash('sha256').update(what).digest('hex').slice(0, 16)}`
  }

  async run(): Promise<ReplayReport> {
    const begunMs = this.#clock.now()
    const { map: path, fs = nodeFileSystem, onProgress } = this.#options
    const chosen = this.#chosen()
    const topics = await this.#prepareTopics(chosen)
    const made = [...topics].flatMap(([name, { isMade }]) => (isMade ? [name] : []))
    const positions = await this.#sink.start(this.#name)
    const lanes = chosen.map(({ source, to }) => {
      const { batchBytesMax = chunkBytesMax } = topics.get(to) ?? {}
      return this.#laneOf(source, to, positions, batchBytesMax - batchHeaderBytes)
    })
    const map = await OffsetMapFile.open(fs, path, this.#name, positions)
    try {
      const offsets = lanes.reduce((sum, { source, reached }) => {
        return sum + Math.max(0, source.endOffset - reached)
      }, 0)
      const meter = new ProgressMeter(offsets, this.#clock, onProgress)
      await this.#replay(lanes, map, meter)
      meter.finish()
      const { groups, clamped } = await this.#moveGroups(lanes, map)
      const durationMs = this.#clock.now() - begunMs
      return { ...this.#report(lanes), made, groups, clamped, durationMs }
    } finally {
      for (const { chunks } of lanes) await chunks.return()
      map.close()
    }
  }

  /** The partitions that are replayed, and what the target calls their topics. */
  #chosen(): ReadonlyArray<{ readonly source: HistoryPartition; readonly to: string }> {
    const { rename = new Map<string, string>() } = this.#options
    const { select = (topic: string) => !ownTopics.has(topic) } = this.#options
    const chosen = this.#history.partitions
      .filter(({ topic }) => select(topic))
      .map((source) => ({ source, to: rename.get(source.topic) ?? source.topic }))
    const sources = new Map<string, string>()
    for (const { source, to } of chosen) {
      const other = sources.get(to) ?? source.topic
      if (other !== source.topic) {
        const reason = `${other} and ${source.topic} would both go to ${to}`
        throw new ReplayRefusedError(reason, 'give each topic a name of its own (--rename)')
      }
      sources.set(to, source.topic)
    }
    return chosen
  }

  async #prepareTopics(
    chosen: ReadonlyArray<{ readonly source: HistoryPartition; readonly to: string }>,
  ): Promise<ReadonlyMap<string, PreparedTopic>> {
    const counts = new Map<string, { sourceName: string; partitions: number }>()
    for (const { source, to } of chosen) {
      const partitions = Math.max(counts.get(to)?.partitions ?? 0, source.partition + 1)
      counts.set(to, { sourceName: source.topic, partitions })
    }
    const prepared = new Map<string, PreparedTopic>()
    for (const [name, topic] of counts) {
      prepared.set(name, await this.#sink.prepareTopic({ name, ...topic }))
    }
    return prepared
  }

  #laneOf(
    source: HistoryPartition,
    to: string,
    positions: readonly ReplayPosition[],
    batchBytes: number,
  ): Lane {
    const { filter = {}, openTransactions = 'stop' } = this.#options
    const { partition, topicId, logStartOffset } = source
    const known = positions.find((other) => other.topic === to && other.partition === partition)
    if (known !== undefined && known.metadata !== (topicId ?? '')) {
      throw new ReplayRefusedError(
        `${source.topic} is another topic than the one that was replayed to ${to} before`,
        'it was deleted and made anew: replay it to another name (--rename)',
      )
    }
    const from = Math.max(known?.offset ?? 0, logStartOffset, filter.fromOffset ?? 0)
    const { transactionBytes = transactionBytesDefault } = this.#options
    const chunkBytes = Math.min(chunkBytesMax, batchBytes, transactionBytes)
    const chunks = replayChunks(source, { from, filter, openTransactions, chunkBytes })
    return new Lane(source, to, chunks, from)
  }

  async #replay(lanes: readonly Lane[], map: OffsetMapFile, meter: ProgressMeter): Promise<void> {
    this.#active = [...lanes]
    let ahead = this.#gather()
    for (;;) {
      this.#options.signal?.throwIfAborted()
      const round = await ahead
      if (round.length === 0) return
      ahead = this.#gather()
      // It is read while this is written; when nobody comes for it, its failure is nobody's.
      ahead.catch(() => undefined)
      try {
        await this.#write(round, map, meter)
      } catch (error) {
        await ahead.catch(() => undefined)
        throw error
      }
    }
  }

  /**
   * What goes into the next transaction. One partition after the other: of each that has begun some
   * objects are in memory, however many there are.
   */
  async #gather(): Promise<readonly Placed[]> {
    const { transactionBytes = transactionBytesDefault } = this.#options
    const round: Placed[] = []
    let sizeBytes = 0
    while (this.#active.length > 0 && sizeBytes < transactionBytes && round.length < chunksMax) {
      const [lane] = this.#active
      if (lane === undefined) break
      const { done, value: chunk } = await lane.chunks.next()
      if (done === true) {
        this.#active.shift()
        continue
      }
      round.push({ lane, chunk })
      sizeBytes += chunk.sizeBytes
    }
    return round
  }

  async #write(round: readonly Placed[], map: OffsetMapFile, meter: ProgressMeter): Promise<void> {
    const full = round.filter(({ chunk }) => chunk.records.length > 0)
    const reached = new Map(round.map(({ lane, chunk }) => [lane, chunk.next]))
    const positions = [...reached].map(([{ source, to }, offset]) => {
      return { topic: to, partition: source.partition, offset, metadata: source.topicId ?? '' }
    })
    const batches = full.map(({ lane, chunk }) => {
      return { topic: lane.to, partition: lane.source.partition, records: chunk.records }
    })
    await this.#sink.write(batches, positions, async (baseOffsets) => {
      const runs = new Map<Lane, OffsetRun[]>()
      for (const [index, { lane, chunk }] of full.entries()) {
        const known = runs.get(lane) ?? []
        runs.set(lane, known)
        addRuns(known, chunk.offsets, baseOffsets[index] ?? 0)
      }
      const entries = [...reached].map(([lane, next]) => {
        const { topic, partition } = lane.source
        return { topic, partition, to: lane.to, next, runs: runs.get(lane) ?? [] }
      })
      await map.add(entries)
    })
    this.#transactions++
    for (const { chunk } of full) {
      this.#records += chunk.records.length
      this.#sizeBytes += chunk.sizeBytes
    }
    for (const [lane, next] of reached) {
      meter.advance(next - lane.reached)
      lane.reached = next
    }
  }

  async #moveGroups(
    lanes: readonly Lane[],
    map: OffsetMapFile,
  ): Promise<Pick<ReplayReport, 'groups' | 'clamped'>> {
    const { groups: offsets = [] } = this.#options
    const { groups, clamped } = await mapGroupOffsets(
      offsets,
      lanes.map(placeOf),
      map.entries(),
      (topic, partition) => this.#sink.endOffset(topic, partition),
    )
    for (const [group, mapped] of groups) await this.#sink.commitOffsets(group, mapped)
    return { groups: [...groups.keys()], clamped }
  }

  #report(
    lanes: readonly Lane[],
  ): Omit<ReplayReport, 'made' | 'groups' | 'clamped' | 'durationMs'> {
    const partitions = lanes.map(placeOf)
    const cut = partitions.flatMap(({ topic, partition, reached: from, endOffset: to }) => {
      const reason = 'a transaction was open there, and it is not known how it ended'
      return from < to ? [{ topic, partition, from, to, reason }] : []
    })
    const chosen = new Set(partitions.map(({ topic, partition }) => `${topic}-${partition}`))
    const missing = this.#history.gaps.filter(({ topic, partition }) => {
      return chosen.has(`${topic}-${partition}`)
    })
    return {
      ...{ replay: this.#name, from: this.#history.name, to: this.#sink.name },
      ...{ map: this.#options.map, records: this.#records, transactions: this.#transactions },
      ...{ sizeBytes: this.#sizeBytes, partitions, gaps: [...missing, ...cut] },
    }
  }
}

/** A transaction of tiny batches would be one of very many promises. */
const chunksMax = 256

function placeOf({ source, to, reached }: Lane): ReplayedTopicPartition {
  const { topic, partition, logStartOffset, endOffset } = source
  return { topic, partition, to, logStartOffset, endOffset, reached }
}

function addRuns(runs: OffsetRun[], offsets: readonly Offset[], baseOffset: Offset): void {
  for (const [index, source] of offsets.entries()) {
    const target = baseOffset + index
    const last = runs.at(-1)
    const goesOn =
      last !== undefined &&
      last.source + last.count === source &&
      last.target + last.count === target
    if (goesOn) runs[runs.length - 1] = { ...last, count: last.count + 1 }
    else runs.push({ source, count: 1, target })
  }
}
