import {
  type AbortedTransaction,
  CorruptIndexError,
  type FileSystem,
  type SegmentInfo,
} from '@varve/log'
import { decodeTransactionIndex, readSmallFile } from '@varve/log/files'
import { crc32c } from '@varve/record'
import { readDigest } from './segment-batches.ts'

/** Larger than the file of any segment: two million entries of 34 bytes. */
const indexBytesMax = 64 * 2 ** 20

/**
 * The aborted transactions whose markers lie in these segments, from the transaction indexes on
 * disk. Throws CorruptIndexError: without an index, aborted records would be taken for committed
 * ones.
 */
export function abortedTransactionsIn(
  fs: FileSystem,
  segments: readonly SegmentInfo[],
): AbortedTransaction[] {
  return segments.flatMap((segment) => {
    const path = segment.path.replace(/\.log$/, '.txnindex')
    const bytes = readSmallFile(fs, path, indexBytesMax) ?? Buffer.alloc(0)
    const { index, problem } = decodeTransactionIndex(bytes, segment.baseOffset)
    if (problem !== null) throw new CorruptIndexError(path, problem)
    const checksum = readDigest(fs, segment)?.transactionIndexCrc32c
    if (checksum !== undefined && crc32c(bytes) !== checksum) {
      throw new CorruptIndexError(path, { position: 0, reason: 'its checksum does not agree' })
    }
    return Array.from({ length: index.count }, (_, entry) => index.entryAt(entry))
  })
}
