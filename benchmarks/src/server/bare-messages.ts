// Code for two messages in one version each, as somebody would write it who had only these: what
// messages described as data are measured against.

export interface ProducedPartition {
  readonly index: number
  readonly records: Buffer | null
}

export interface FetchedPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly logStartOffset: number
  readonly abortedTransactions: null
  readonly records: Buffer
}

/** How far the request that is being read has been. */
let position = 0

function unsignedVarint(bytes: Buffer): number {
  let value = 0
  for (let shift = 0; shift <= 28; shift += 7) {
    const byte = bytes[position++] as number
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value
  }
  throw new Error('the request is not of the form that is read here')
}

/** The partitions of the first topic of a Produce request of version 9 or 10. */
export function bareProduceRequest(frame: Buffer): readonly ProducedPartition[] {
  position = 8
  position += 2 + frame.readInt16BE(position) + 1
  const idBytes = unsignedVarint(frame) - 1
  position += Math.max(idBytes, 0) + 6
  unsignedVarint(frame)
  const nameBytes = unsignedVarint(frame) - 1
  frame.toString('utf8', position, position + nameBytes)
  position += nameBytes
  const count = unsignedVarint(frame) - 1
  const partitions = new Array<ProducedPartition>(count)
  for (let at = 0; at < count; at++) {
    const index = frame.readInt32BE(position)
    position += 4
    const sizeBytes = unsignedVarint(frame) - 1
    const records = sizeBytes < 0 ? null : frame.subarray(position, position + sizeBytes)
    position += Math.max(sizeBytes, 0) + 1
    partitions[at] = { index, records }
  }
  return partitions
}

/** A Fetch response of version 12 with one topic and without records, in a frame. */
export function bareFetchResponse(
  correlationId: number,
  topic: string,
  partitions: readonly FetchedPartition[],
): Buffer {
  const nameBytes = Buffer.byteLength(topic)
  const bytes = Buffer.allocUnsafe(40 + nameBytes + partitions.length * 37)
  let at = bytes.writeInt32BE(correlationId, 4)
  // No tagged fields, no throttling, no error, no session; one topic.
  bytes.fill(0, at, at + 11)
  at += 11
  bytes[at++] = 2
  at = bytes.writeUInt8(nameBytes + 1, at)
  at += bytes.write(topic, at)
  at = writeVarint(bytes, at, partitions.length + 1)
  for (const partition of partitions) {
    at = bytes.writeInt32BE(partition.partitionIndex, at)
    at = bytes.writeInt16BE(partition.errorCode, at)
    at = writeInt64(bytes, at, partition.highWatermark)
    at = writeInt64(bytes, at, partition.lastStableOffset)
    at = writeInt64(bytes, at, partition.logStartOffset)
    bytes[at++] = 0
    at = bytes.writeInt32BE(-1, at)
    at = writeVarint(bytes, at, partition.records.length + 1)
    bytes[at++] = 0
  }
  bytes[at++] = 0
  bytes[at++] = 0
  bytes.writeInt32BE(at - 4, 0)
  return bytes.subarray(0, at)
}

function writeVarint(bytes: Buffer, at: number, value: number): number {
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[at++] = value
  return at
}

function writeInt64(bytes: Buffer, at: number, value: number): number {
  const high = Math.floor(value / 2 ** 32)
  return bytes.writeUInt32BE(value - high * 2 ** 32, bytes.writeInt32BE(high, at))
}
