import { decodePartitionMetadata, LeaderEpochCache } from '@varve/log/files'
import { describe, expect, test } from 'vitest'
import { partitionFilesAt } from '../../src/restoring/partition-files.ts'

const epochs = new LeaderEpochCache([
  { epoch: 0, startOffset: 0 },
  { epoch: 3, startOffset: 50 },
])
const files = [
  { name: 'leader-epoch-checkpoint', bytes: epochs.encode() },
  { name: 'partition.metadata', bytes: Buffer.from('version: 0\ntopic_id: old') },
  { name: '00000000000000000040.snapshot', bytes: Buffer.from('older') },
  { name: '00000000000000000090.snapshot', bytes: Buffer.from('newer') },
  { name: 'quorum-state', bytes: Buffer.from('{}') },
]
const topicId = 'AAAAAAAAAAAAAAAAAAAABg'

function filesAt(end: number, newId: string | null): ReadonlyMap<string, Buffer> {
  const stored = {
    ...{ topic: 't', partition: 0, topicId, logStartOffset: 0, endOffset: 100, sizeBytes: 0 },
    ...{ segmentCount: 0, set: 0, list: Buffer.alloc(32) },
  }
  const list = { topic: 't', partition: 0, segments: [], files }
  const found = partitionFilesAt({ stored, list, topicId: newId, end }, '/place/t-0')
  return new Map(found.map(({ name, bytes }) => [name, bytes]))
}

describe('the small files of a restored partition', () => {
  test('are those that were stored where it is restored whole', () => {
    expect([...filesAt(100, topicId)]).toEqual(files.map(({ name, bytes }) => [name, bytes]))
  })

  test('know nothing of what lies beyond the end', () => {
    const found = filesAt(45, topicId)
    expect(found.has('00000000000000000040.snapshot')).toBe(true)
    expect(found.has('00000000000000000090.snapshot')).toBe(false)
    const bytes = found.get('leader-epoch-checkpoint') ?? Buffer.alloc(0)
    expect(LeaderEpochCache.decode(bytes, '').entries()).toEqual([{ epoch: 0, startOffset: 0 }])
  })

  test('have the id of the topic that it belongs to now', () => {
    const newId = 'BBBBBBBBBBBBBBBBBBBBBg'
    const bytes = filesAt(100, newId).get('partition.metadata') ?? Buffer.alloc(0)
    expect(decodePartitionMetadata(bytes, '')).toBe(newId)
  })
})
