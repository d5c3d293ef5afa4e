import { type Log, LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { endTransactionMarkerBatch, type RecordBatch, RecordBatchBuilder } from '@varve/record'
import { encodeOffsetCommitKey, encodeOffsetCommitValue } from '../../src/groups/offset-commit.ts'

/** A data directory with one partition of `__consumer_offsets`. */
export interface OffsetsPlace extends AsyncDisposable {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock
  readonly directory: LogDirectory
  readonly log: Log
}

/** On a file system of its own, or on what a crash left. */
export async function openOffsets(
  fs: SimulatedFileSystem = new SimulatedFileSystem(),
  clock: ManualClock = new ManualClock(),
): Promise<OffsetsPlace> {
  const directory = await LogDirectory.open('/data', { fs, clock, random: () => 0.5 })
  const name = '__consumer_offsets'
  const isThere = directory.logs.has(`${name}-0`)
  const log = isThere ? directory.log(name, 0) : await directory.createLog(name, 0)
  return { fs, clock, directory, log, [Symbol.asyncDispose]: () => directory.close() }
}

/** Commits of one transaction, as a producer appends them. */
export function transactionalCommit(
  producerId: number,
  baseSequence: number,
  offsets: ReadonlyArray<readonly [topic: string, partition: number, offset: number]>,
  group = 'g',
): RecordBatch {
  const builder = new RecordBatchBuilder({
    producerId,
    producerEpoch: 0,
    baseSequence,
    isTransactional: true,
    defaultTimestamp: 1000,
  })
  for (const [topic, partition, offset] of offsets) {
    const value = {
      offset,
      leaderEpoch: -1,
      metadata: '',
      commitTimestamp: 1000,
      expireTimestamp: -1,
    }
    builder.append({
      key: encodeOffsetCommitKey({ group, topic, partition }),
      value: encodeOffsetCommitValue(value),
    })
  }
  return builder.build()
}

export function marker(type: 'commit' | 'abort', producerId: number): RecordBatch {
  return endTransactionMarkerBatch({
    type,
    producerId,
    producerEpoch: 0,
    coordinatorEpoch: 0,
    timestamp: 1000,
  })
}
