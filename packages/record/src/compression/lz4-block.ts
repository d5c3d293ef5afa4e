import type { DecodeContext, DecodeOutput } from './codec.ts'

// Grammar of an LZ4 block, from the LZ4 block format:
//
//   block     = sequence+, the last of which ends behind its literals
//   sequence  = token (4 bits literal size, 4 bits match size - 4), size bytes of the literals,
//               literals, distance uint16 (little-endian, never 0), size bytes of the match
//   a size of 15 goes on in further bytes, each added, until one that is not 255
const matchSizeMin = 4
const sizeGoesOn = 15

/** A byte adds at most 255 bytes to a match, so no block makes more than that of each of its. */
const ratioMax = 255

/** Below this a copy by hand is done before a call to copy has begun. */
const shortCopyBytes = 32

/**
 * Decodes one block to the end of `output`. Written in TypeScript because the native package wants
 * to know the size before: it sets aside, and clears, as much as it is told, and a frame does not
 * say how much. Here blocks are decoded straight to their place.
 */
export function decodeLz4Block(
  block: Buffer,
  output: DecodeOutput,
  blockBytesMax: number,
  context: DecodeContext,
): void {
  const roomMax = Math.min(blockBytesMax, block.length * ratioMax)
  const room = Math.min(roomMax, context.maxBytes - output.length)
  output.reserve(room)
  const written = decodeSequences(block, output.bytes, output.length, room)
  if (written >= 0) {
    output.advance(written)
    return
  }
  // A block that has too little room because of the reader's limit, not its own, says so.
  if (written === outOfRoom && room < roomMax) output.reserve(room + 1)
  context.fail('a block is damaged')
}

const damaged = -1
const outOfRoom = -2

/** Bytes written from `start`; negative when the block is damaged or does not fit in `room`. */
function decodeSequences(block: Buffer, output: Buffer, start: number, room: number): number {
  const blockEnd = block.length
  const outputEnd = start + room
  let at = 0
  let to = start
  while (at < blockEnd) {
    const token = block[at++] as number
    let literals = token >>> 4
    if (literals === sizeGoesOn) {
      let byte = 255
      while (byte === 255) {
        if (at >= blockEnd) return damaged
        byte = block[at++] as number
        literals += byte
      }
    }
    if (at + literals > blockEnd) return damaged
    if (to + literals > outputEnd) return outOfRoom
    if (literals < shortCopyBytes) {
      for (const literalsEnd = at + literals; at < literalsEnd; ) {
        output[to++] = block[at++] as number
      }
    } else {
      block.copy(output, to, at, at + literals)
      at += literals
      to += literals
    }
    if (at === blockEnd) return to - start
    if (at + 2 > blockEnd) return damaged
    const distance = (block[at] as number) | ((block[at + 1] as number) << 8)
    at += 2
    let from = to - distance
    if (distance === 0 || from < start) return damaged
    let size = (token & 0x0f) + matchSizeMin
    if (size === sizeGoesOn + matchSizeMin) {
      let byte = 255
      while (byte === 255) {
        if (at >= blockEnd) return damaged
        byte = block[at++] as number
        size += byte
      }
    }
    const end = to + size
    if (end > outputEnd) return outOfRoom
    if (distance >= size && size >= shortCopyBytes) {
      output.copyWithin(to, from, from + size)
      to = end
    } else {
      // Where they overlap, what was just written is read again: that is how runs are written.
      while (to < end) output[to++] = output[from++] as number
    }
  }
  return damaged
}
