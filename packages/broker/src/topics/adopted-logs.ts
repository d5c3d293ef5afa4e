import type { FileSystem, Log } from '@varve/log'
import { decodePartitionMetadata, readSmallFile } from '@varve/log/files'

/** The id that a broker has noted in a partition's directory; null where there is none. */
export function topicIdIn(fs: FileSystem, directory: string): string | null {
  const path = `${directory}/partition.metadata`
  try {
    const bytes = readSmallFile(fs, path, 1024)
    return bytes === null ? null : decodePartitionMetadata(bytes, path)
  } catch {
    // The log opens without it, and verifying it tells.
    return null
  }
}

/**
 * The first block of producer ids above every id in the logs: they may come from a broker, or from
 * before the catalogue.
 */
export function unusedProducerId(logs: Iterable<Log>, block: number): number {
  let next = 0
  for (const log of logs) {
    for (const { producerId } of log.producers()) next = Math.max(next, producerId + 1)
  }
  return Math.ceil(next / block) * block
}
