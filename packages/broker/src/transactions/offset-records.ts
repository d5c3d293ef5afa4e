import type { RecordInput, Timestamp } from '@varve/record'
import type { CommittedOffset } from '../consuming/committed-offsets.ts'
import { encodeOffsetCommitKey, encodeOffsetCommitValue } from '../groups/offset-commit.ts'

/** What a transaction appends to `__consumer_offsets` for a group: one record a partition. */
export function offsetRecords(
  group: string,
  offsets: readonly CommittedOffset[],
  commitTimestamp: Timestamp,
): readonly RecordInput[] {
  return offsets.map(({ topic, partition, offset, metadata = '', leaderEpoch = -1 }) => ({
    key: encodeOffsetCommitKey({ group, topic, partition }),
    value: encodeOffsetCommitValue({
      ...{ offset, leaderEpoch, metadata, commitTimestamp },
      expireTimestamp: -1,
    }),
    timestamp: commitTimestamp,
  }))
}
