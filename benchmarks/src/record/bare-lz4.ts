import { createRequire } from 'node:module'

/** The functions of `lz4-napi` for a block by itself, behind its size. */
export interface BareLz4 {
  compressSync(bytes: Buffer): Buffer
  uncompressSync(bytes: Buffer): Buffer
}

/** As in the frames that Kafka writes. */
const blockBytes = 64 * 1024

/** As `@varve/record` finds it; null where it can't be loaded. */
export function loadBareLz4(): BareLz4 | null {
  try {
    return createRequire(import.meta.resolve('@varve/record'))('lz4-napi') as BareLz4
  } catch {
    return null
  }
}

/** The blocks that a frame of these bytes has, and nothing around them. */
export function bareBlocks(lz4: BareLz4, plain: Buffer): readonly Buffer[] {
  const blocks: Buffer[] = []
  for (let start = 0; start < plain.length; start += blockBytes) {
    blocks.push(lz4.compressSync(plain.subarray(start, start + blockBytes)))
  }
  return blocks
}

/** How many bytes there were in all of them. */
export function readBareBlocks(lz4: BareLz4, blocks: readonly Buffer[]): number {
  let bytes = 0
  for (const block of blocks) bytes += lz4.uncompressSync(block).length
  return bytes
}
