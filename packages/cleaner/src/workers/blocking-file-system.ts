import type { File, FileSystem } from '@varve/log'
import type { ProcessorBreaks } from './processor-breaks.ts'

/**
 * The same file system, but reading and writing block the thread. A thread that has nothing else to
 * do saves the hop through the pool, 40 to 100 µs a call and more where the pool is busy. Flushes
 * do not block. Who reads and writes without end rests between the calls: see ProcessorBreaks.
 */
export function blockingFileSystem(fs: FileSystem, breaks: ProcessorBreaks): FileSystem {
  return {
    open: (path, mode) => blockingFile(fs.open(path, mode), breaks),
    list: (directory) => fs.list(directory),
    stat: (path) => fs.stat(path),
    makeDirectory: (path) => fs.makeDirectory(path),
    rename: (from, to) => fs.rename(from, to),
    link: (existing, added) => fs.link(existing, added),
    setModifiedTime: (path, timeMs) => fs.setModifiedTime(path, timeMs),
    remove: (path) => fs.remove(path),
    removeDirectory: (path) => fs.removeDirectory(path),
    syncDirectory: (path) => fs.syncDirectory(path),
    lock: (path) => fs.lock(path),
    freeBytes: (path) => fs.freeBytes(path),
  }
}

/**
 * Beside others so much is flushed at a time: their flushes, and writes into the same tables of the
 * file system, wait for no more than that.
 */
const flushStepBytes = 256 * 1024

function blockingFile(file: File, breaks: ProcessorBreaks): File {
  let unflushedBytes = 0
  return {
    path: file.path,
    sizeBytes: () => file.sizeBytes(),
    readSync: (target, position) => file.readSync(target, position),
    read: async (target, position) => {
      breaks.take()
      return file.readSync(target, position)
    },
    writeSync: (source, position) => file.writeSync(source, position),
    write: async (source, position) => {
      breaks.take()
      const written = file.writeSync(source, position)
      unflushedBytes += written
      if (breaks.isBusy && unflushedBytes >= flushStepBytes) {
        unflushedBytes = 0
        await file.datasync()
      }
      return written
    },
    datasync: () => file.datasync(),
    datasyncSync: () => file.datasyncSync(),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    close: () => file.close(),
  }
}
