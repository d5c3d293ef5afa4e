import { cleanShutdownFileName } from '../storage/file-names.ts'
import { type FileSystem, isSystemError, replaceSmallFile } from '../storage/file-system.ts'

// `.kafka_cleanshutdown` in a data directory says that all its logs were closed properly: with it
// present no log is recovered. So it is written last at the end and removed, durably, before the
// first log is opened; a crash from then on counts as one. Only its presence matters: old versions
// of Kafka wrote it empty.

/** What Kafka's brokers write without a controller's epoch. */
const content = Buffer.from('{"version":0,"brokerEpoch":-1}', 'latin1')

export function hasCleanShutdown(fs: FileSystem, dataDirectory: string): boolean {
  return fs.stat(pathIn(dataDirectory)) !== null
}

/** Atomic and durable. Only after everything in the directory was flushed and closed. */
export async function writeCleanShutdown(fs: FileSystem, dataDirectory: string): Promise<void> {
  await replaceSmallFile(fs, pathIn(dataDirectory), content)
}

/** Removes the marker, durably; tells whether there was one. */
export async function removeCleanShutdown(fs: FileSystem, dataDirectory: string): Promise<boolean> {
  try {
    await fs.remove(pathIn(dataDirectory))
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false
    throw error
  }
  await fs.syncDirectory(dataDirectory)
  return true
}

function pathIn(dataDirectory: string): string {
  return `${dataDirectory}/${cleanShutdownFileName}`
}
