import { strict as assert } from 'node:assert'
import { crc32c, type FilePosition, type Offset } from '@varve/record'
import { readInt64, writeInt32, writeInt64 } from '../base/int64.ts'
import { type File, writeFullySync } from '../storage/file-system.ts'

/**
 * How far a log has come. What it says was true when it was written, and stays true while the log
 * only grows: a lower bound. Whoever cuts a log back must first write the smaller values and flush
 * the file. Only the high watermark can be too high after a power loss, when records were visible
 * that nobody had asked to be flushed: it counts up to the log's end at most.
 */
export interface Progress {
  readonly logStartOffset: Offset
  /** Records below it are visible to readers. */
  readonly highWatermark: Offset
  /** Everything below it is known to be flushed. */
  readonly recoveryPoint: Offset
  /** Base offset of the segment in which the recovery point lies. */
  readonly recoverySegment: Offset
  /** Position in that segment's `.log` up to which it is known to be flushed. */
  readonly recoveryPosition: FilePosition
}

/** A slot as it was found: the progress, and the number of the write that left it. */
export interface NumberedProgress extends Progress {
  readonly sequence: number
}

// One slot, big-endian, in a sector of its own so that no torn write can touch the other one:
//
//   4 bytes  magic 'VPRG'
//   int32    version, 1
//   int64    sequence           goes up by one with every write; even numbers go to slot 0
//   int64    logStartOffset
//   int64    highWatermark
//   int64    recoveryPoint
//   int64    recoverySegment
//   int64    recoveryPosition
//   int32    zero
//   uint32   CRC-32C of the 60 bytes before
const magicField = 0
const versionField = magicField + 4
const sequenceField = versionField + 4
const logStartOffsetField = sequenceField + 8
const highWatermarkField = logStartOffsetField + 8
const recoveryPointField = highWatermarkField + 8
const recoverySegmentField = recoveryPointField + 8
const recoveryPositionField = recoverySegmentField + 8
const reservedField = recoveryPositionField + 8
const crcField = reservedField + 4
const slotBytes = crcField + 4
assert(slotBytes === 64, 'a slot has 64 bytes')

const magic = 0x56505247
const version = 1

/** The smallest unit that a disk writes. */
const sectorBytes = 512

/** What a reader need read of the file. */
export const progressFileBytes: number = sectorBytes + slotBytes

/**
 * The file `progress` of a partition directory. Ours; Kafka ignores it. Two slots are written in
 * turn, in place, without a flush: a write that is torn or lost leaves the other slot, whose bounds
 * are lower and as true. Other processes may read it while it is written: the valid slot with the
 * highest sequence number counts.
 */
export class ProgressFile {
  /** Of the newest slot in the file; null before it is known. */
  #sequence: number | null = null
  readonly #slot: Buffer = Buffer.alloc(slotBytes)

  /** The newest valid slot, null when there is none. Never throws, whatever the bytes. */
  static read(bytes: Buffer): NumberedProgress | null {
    const even = decodeSlot(bytes, 0)
    const odd = decodeSlot(bytes, sectorBytes)
    if (even === null || odd === null) return even ?? odd
    return even.sequence > odd.sequence ? even : odd
  }

  /** The slots that hold something, but nothing that a complete write leaves. */
  static damagedSlots(bytes: Buffer): readonly { position: FilePosition; sizeBytes: number }[] {
    const damaged: { position: FilePosition; sizeBytes: number }[] = []
    for (const position of [0, sectorBytes]) {
      const slot = bytes.subarray(position, position + slotBytes)
      const isEmpty = slot.every((byte) => byte === 0)
      if (isEmpty || decodeSlot(bytes, position) !== null) continue
      damaged.push({ position, sizeBytes: slot.length })
    }
    return damaged
  }

  /**
   * Writes the slot that does not hold the newest progress. Flushes nothing. `file` must be the
   * same at every call; the first call reads it, to go on from what an earlier process has left
   * there.
   */
  write(file: File, progress: Progress): void {
    this.#sequence ??= lastSequenceOf(file)
    encodeSlot(progress, this.#sequence + 1, this.#slot)
    writeFullySync(file, this.#slot, slotPosition(this.#sequence + 1))
    this.#sequence += 1
  }
}

/** -1 when the file has no valid slot. */
function lastSequenceOf(file: File): number {
  const bytes = Buffer.alloc(progressFileBytes)
  const found = ProgressFile.read(bytes.subarray(0, file.readSync(bytes, 0)))
  return found?.sequence ?? -1
}

/** Fills the 64 bytes of a slot. They belong to {@link slotPosition}. */
export function encodeSlot(progress: Progress, sequence: number, into: Buffer): void {
  assert(into.length === slotBytes, 'a slot has 64 bytes')
  writeInt32(into, magicField, magic)
  writeInt32(into, versionField, version)
  writeInt64(into, sequenceField, sequence)
  writeInt64(into, logStartOffsetField, progress.logStartOffset)
  writeInt64(into, highWatermarkField, progress.highWatermark)
  writeInt64(into, recoveryPointField, progress.recoveryPoint)
  writeInt64(into, recoverySegmentField, progress.recoverySegment)
  writeInt64(into, recoveryPositionField, progress.recoveryPosition)
  writeInt32(into, reservedField, 0)
  writeInt32(into, crcField, crc32c(into.subarray(0, crcField)))
}

export function slotPosition(sequence: number): FilePosition {
  return sequence % 2 === 0 ? 0 : sectorBytes
}

function decodeSlot(bytes: Buffer, position: FilePosition): NumberedProgress | null {
  const slot = bytes.subarray(position, position + slotBytes)
  if (slot.length < slotBytes || slot.readUInt32BE(magicField) !== magic) return null
  if (slot.readUInt32BE(crcField) !== crc32c(slot.subarray(0, crcField))) return null
  if (slot.readInt32BE(versionField) !== version) return null
  const progress: NumberedProgress = {
    sequence: readInt64(slot, sequenceField),
    logStartOffset: readInt64(slot, logStartOffsetField),
    highWatermark: readInt64(slot, highWatermarkField),
    recoveryPoint: readInt64(slot, recoveryPointField),
    recoverySegment: readInt64(slot, recoverySegmentField),
    recoveryPosition: readInt64(slot, recoveryPositionField),
  }
  // Right by its checksum, but nothing that a writer says.
  const isPlausible =
    Object.values(progress).every((value) => Number.isSafeInteger(value) && value >= 0) &&
    progress.recoverySegment <= progress.recoveryPoint &&
    slotPosition(progress.sequence) === position
  return isPlausible ? progress : null
}
