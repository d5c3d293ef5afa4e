import type { FuzzRandom } from './fuzz-random.ts'

/** Numbers at which code changes its mind: limits of types, off by one, and sizes of buffers. */
export const interestingNumbers: readonly bigint[] = [
  0n,
  1n,
  -1n,
  -2n,
  2n,
  7n,
  8n,
  13n,
  14n,
  26n,
  61n,
  127n,
  128n,
  255n,
  256n,
  4095n,
  4096n,
  32_767n,
  32_768n,
  65_535n,
  65_536n,
  2n ** 20n,
  2n ** 24n,
  2n ** 27n,
  2n ** 30n,
  2n ** 31n - 2n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 52n,
  2n ** 53n - 2n,
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n) + 1n,
  -(2n ** 53n),
  2n ** 62n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]

const lengthMax = 64 * 1024

/**
 * One to eight random changes; the input is left as it is. `others` are what it is spliced with.
 */
export function mutate(random: FuzzRandom, input: Buffer, others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(input)
  const times = 1 + random.size(8)
  for (let time = 0; time < times; time++) {
    const change = random.pick(changes)
    bytes = change(random, bytes, others)
    if (bytes.length > lengthMax) bytes = bytes.subarray(0, lengthMax)
  }
  return bytes
}

/** Writes an interesting or random number of 1, 2, 4 or 8 bytes, in either byte order. */
export function putNumber(random: FuzzRandom, bytes: Buffer, at: number, width: number): void {
  const number = random.oneIn(4)
    ? BigInt(random.next()) * BigInt(random.next())
    : random.pick(interestingNumbers)
  const field = Buffer.alloc(8)
  field.writeBigUInt64BE(BigInt.asUintN(64, number))
  const cut = field.subarray(8 - width)
  if (random.oneIn(4)) cut.reverse()
  cut.copy(bytes, at)
}

type Change = (random: FuzzRandom, bytes: Buffer, others: readonly Buffer[]) => Buffer

const changes: readonly Change[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  addToByte,
  setNumber,
  setNumber,
  cutEnd,
  removeRange,
  repeatRange,
  insertNoise,
  insertVarint,
  fillRange,
  splice,
]

function flipBit(random: FuzzRandom, bytes: Buffer): Buffer {
  if (bytes.length === 0) return random.bytes(1)
  const at = random.int(bytes.length)
  bytes[at] = bytes.readUInt8(at) ^ (1 << random.int(8))
  return bytes
}

function setByte(random: FuzzRandom, bytes: Buffer): Buffer {
  if (bytes.length > 0) bytes[random.int(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff])
  return bytes
}

function addToByte(random: FuzzRandom, bytes: Buffer): Buffer {
  if (bytes.length === 0) return bytes
  const at = random.int(bytes.length)
  bytes[at] = bytes.readUInt8(at) + random.int(9) - 4
  return bytes
}

function setNumber(random: FuzzRandom, bytes: Buffer): Buffer {
  const width = random.pick([1, 2, 4, 8])
  if (bytes.length >= width) putNumber(random, bytes, random.int(bytes.length - width + 1), width)
  return bytes
}

function cutEnd(random: FuzzRandom, bytes: Buffer): Buffer {
  return bytes.subarray(0, random.int(bytes.length + 1))
}

function removeRange(random: FuzzRandom, bytes: Buffer): Buffer {
  const start = random.int(bytes.length + 1)
  const end = Math.min(start + random.size(32), bytes.length)
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)])
}

function repeatRange(random: FuzzRandom, bytes: Buffer): Buffer {
  const start = random.int(bytes.length + 1)
  const end = Math.min(start + random.size(128), bytes.length)
  const range = bytes.subarray(start, end)
  const times = 1 + random.size(8)
  const copies = Array.from({ length: times }, () => range)
  return Buffer.concat([bytes.subarray(0, end), ...copies, bytes.subarray(end)])
}

function insertNoise(random: FuzzRandom, bytes: Buffer): Buffer {
  return insert(random, bytes, random.bytes(random.size(16)))
}

/** Numbers of variable length that are over-long, or do not end, or are the largest there are. */
function insertVarint(random: FuzzRandom, bytes: Buffer): Buffer {
  const varint = Buffer.alloc(1 + random.int(11), random.pick([0x80, 0xff]))
  if (!random.oneIn(3)) varint[varint.length - 1] = random.pick([0, 1, 0x0f, 0x7f])
  if (random.oneIn(2)) return insert(random, bytes, varint)
  varint.copy(bytes, random.int(bytes.length + 1))
  return bytes
}

function fillRange(random: FuzzRandom, bytes: Buffer): Buffer {
  const start = random.int(bytes.length + 1)
  const end = Math.min(start + random.size(64), bytes.length)
  return bytes.fill(random.pick([0, 0xff]), start, end)
}

function splice(random: FuzzRandom, bytes: Buffer, others: readonly Buffer[]): Buffer {
  const other = random.pick(others) ?? bytes
  const start = random.int(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, start), other.subarray(random.int(other.length + 1))])
}

function insert(random: FuzzRandom, bytes: Buffer, inserted: Buffer): Buffer {
  const at = random.int(bytes.length + 1)
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)])
}
