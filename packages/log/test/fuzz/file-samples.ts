import { crc32c } from '@varve/record'
import type { FuzzRandom } from '../../../record/test/fuzz/fuzz-random.ts'
import { interestingNumbers, mutate } from '../../../record/test/fuzz/mutations.ts'
import { encodeOffsetCheckpoint } from '../../src/format/offset-checkpoint.ts'
import { OffsetIndex } from '../../src/format/offset-index.ts'
import { encodePartitionMetadata } from '../../src/format/partition-metadata.ts'
import { encodeProducerSnapshot } from '../../src/format/producer-snapshot.ts'
import { encodeSlot, slotPosition } from '../../src/format/progress-file.ts'
import { encodeSegmentDigest } from '../../src/format/segment-digest.ts'
import { TimeIndex } from '../../src/format/time-index.ts'
import { TransactionIndex } from '../../src/format/transaction-index.ts'

/** Of all indexes below; not zero, so that relative offsets are not offsets. */
export const baseOffset = 1000

const offsetIndexes = [0, 1, 40, 600].map((count) => {
  const index = new OffsetIndex(baseOffset)
  for (let entry = 1; entry <= count; entry++) index.append(baseOffset + entry * 3, entry * 100)
  return Buffer.concat([index.bytes(), Buffer.alloc(count === 40 ? 80 : 0)])
})

const timeIndexes = [0, 1, 40, 400].map((count) => {
  const index = new TimeIndex(baseOffset)
  for (let entry = 1; entry <= count; entry++) {
    index.maybeAppend(1_700_000_000_000 + entry * 10, baseOffset + entry * 3)
  }
  return Buffer.concat([index.bytes(), Buffer.alloc(count === 40 ? 120 : 0)])
})

const transactionIndexes = [0, 1, 30].map((count) => {
  const index = new TransactionIndex(baseOffset)
  for (let entry = 1; entry <= count; entry++) {
    const lastOffset = baseOffset + entry * 10
    const firstOffset = lastOffset - 7
    index.append({ producerId: entry, firstOffset, lastOffset, lastStableOffset: lastOffset + 1 })
  }
  return Buffer.from(index.encode())
})

const snapshots = [0, 1, 12].map((count) => {
  const producers = Array.from({ length: count }, (_, producerId) => ({
    producerId,
    epoch: producerId % 3,
    coordinatorEpoch: producerId % 2,
    lastTimestamp: 1_700_000_000_000 + producerId,
    currentTransactionFirstOffset: producerId % 4 === 0 ? producerId + 5 : null,
    batches:
      producerId % 5 === 4
        ? []
        : [{ firstSequence: 1, lastSequence: 3, firstOffset: 7, lastOffset: 9, timestamp: 1 }],
  }))
  return encodeProducerSnapshot(producers)
})

const texts = [
  '0\n0\n',
  '0\n3\n0 0\n1 17\n5 40\n',
  '0\n1\n2147483647 9007199254740991\n',
  String(encodeOffsetCheckpoint(new Map([['orders-0', 17]]))),
  String(encodeOffsetCheckpoint(new Map(['a-0', 'a-b.c-1', 'x_y-12'].map((name) => [name, 5])))),
  String(encodePartitionMetadata('AAAAAAAAAAAAAAAAAAAAAQ')),
].map((text) => Buffer.from(text, 'latin1'))

const digests = [0, 7].map((batches) => {
  const sizeBytes = batches * 100
  const digest = {
    sizeBytes,
    batches,
    nextOffset: 9,
    maxTimestamp: -1,
    spineCrc32c: batches,
    timeIndexCrc32c: 0,
    transactionIndexCrc32c: 0,
  }
  return encodeSegmentDigest(digest)
})

const progresses = [3, 4].map((newest) => {
  const bytes = Buffer.alloc(1024)
  for (const sequence of [newest - 1, newest]) {
    const recovery = { recoveryPoint: 10, recoverySegment: 0, recoveryPosition: 1000 }
    const progress = { logStartOffset: 2, highWatermark: 12 + sequence, ...recovery }
    const slot = Buffer.alloc(64)
    encodeSlot(progress, sequence, slot)
    slot.copy(bytes, slotPosition(sequence))
  }
  return bytes
})

const names = [
  '00000000000000000017.log',
  '00000000000000000017.timeindex.deleted',
  '00000000009007199254740991.snapshot',
  'orders-0',
  'a.b-c-12',
  'orders-3.0123456789abcdef-delete',
  'active-00000000000000000000.digest',
].map((name) => Buffer.from(name, 'latin1'))

export const samples = {
  offsetIndexes,
  timeIndexes,
  transactionIndexes,
  snapshots,
  texts,
  digests,
  progresses,
  names,
} as const

/** A changed index: now and then an entry is a copy of another one, or the file is zeros. */
export function changedIndex(random: FuzzRandom, indexes: readonly Buffer[]): Buffer {
  return mutate(random, random.pick(indexes), indexes)
}

export function changedText(random: FuzzRandom, originals: readonly Buffer[]): Buffer {
  const text = random.pick(originals).toString('latin1')
  if (random.oneIn(2)) return mutate(random, Buffer.from(text, 'latin1'), originals)
  const changed = text.replace(/-?\d+/g, (number) => {
    return random.oneIn(3) ? String(random.pick(interestingNumbers)) : number
  })
  return Buffer.from(changed, 'latin1')
}

export function changedSnapshot(random: FuzzRandom): Buffer {
  const bytes = mutate(random, random.pick(snapshots), snapshots)
  if (bytes.length < 10 || random.oneIn(6)) return bytes
  bytes.writeInt16BE(1, 0)
  if (!random.oneIn(6)) bytes.writeInt32BE(Math.floor((bytes.length - 10) / 50), 6)
  bytes.writeUInt32BE(crc32c(bytes.subarray(6)), 2)
  return bytes
}

export function changedDigest(random: FuzzRandom): Buffer {
  const bytes = changedText(random, digests)
  const end = bytes.lastIndexOf('crc32c: ')
  if (end < 0 || random.oneIn(6)) return bytes
  const lines = bytes.subarray(0, end)
  const checksum = crc32c(lines).toString(16).padStart(8, '0')
  return Buffer.concat([lines, Buffer.from(`crc32c: ${checksum}\n`, 'latin1')])
}

export function changedProgress(random: FuzzRandom): Buffer {
  const bytes = mutate(random, random.pick(progresses), progresses)
  if (random.oneIn(6)) return bytes
  for (const start of [0, 512]) {
    if (start + 64 > bytes.length) continue
    bytes.write('VPRG', start, 'latin1')
    bytes.writeInt32BE(1, start + 4)
    bytes.writeUInt32BE(crc32c(bytes.subarray(start, start + 60)), start + 60)
  }
  return bytes
}
