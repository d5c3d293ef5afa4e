import { strict as assert } from 'node:assert'
import type { File, FileSystem } from './file-system.ts'
import { LoopReads } from './loop-reads.ts'
import { defaultReadCacheBytes, ReadCache } from './read-cache.ts'
import { TailMemory } from './tail-memory.ts'

/**
 * The open files of one data directory, at most about `filesMax` of them. A file is borrowed, used
 * and returned; one that nobody has borrowed stays open until the place is needed, the least
 * recently used first. Borrowed files are never closed, so the limit can be passed for a moment by
 * more borrowers than it allows; `onPressure` then asks whoever has kept a file longest (an active
 * segment with unflushed data) to bring it back, and `room` waits for that.
 */
export class OpenFiles {
  readonly fs: FileSystem
  /** What was read of these files and is kept in memory. */
  readonly cache: ReadCache
  /** What was written to them last and is kept in memory for followers. */
  readonly tails: TailMemory = new TailMemory()
  /** Which of them are read on the event loop. */
  readonly loopReads: LoopReads
  readonly #filesMax: number
  readonly #byPath = { read: new Map<string, Entry>(), write: new Map<string, Entry>() }
  /** Also those whose path is gone while somebody still has them. */
  readonly #byFile = new Map<File, Entry>()
  /** Those that have a path, by the directory in which they are. */
  readonly #byDirectory = new Map<string, Set<Entry>>()
  /** Those that nobody has borrowed, least recently used first. */
  readonly #idle = new Set<Entry>()
  /** Those whose borrower can be asked for them, the longest borrowed first. */
  readonly #claimable = new Set<Entry>()
  /** How many of those who were asked for their files have not answered yet. */
  #unanswered = 0
  /** Those who wait for room, first come first. */
  readonly #waiting: Array<() => void> = []

  constructor(fs: FileSystem, filesMax: number, cacheBytesMax: number = defaultReadCacheBytes) {
    assert(filesMax >= 1, 'at least one file can be open')
    this.fs = fs
    this.loopReads = new LoopReads(() => fs.waits?.() ?? null)
    this.cache = new ReadCache(cacheBytesMax)
    this.#filesMax = filesMax
  }

  get openCount(): number {
    return this.#byPath.read.size + this.#byPath.write.size
  }

  /** Whether more files are open than should be when one more is opened. */
  get isCrowded(): boolean {
    return this.openCount >= this.#filesMax
  }

  /**
   * Waits, where too many files are open, until somebody has brought one back. Not for ever: when
   * nobody can, the limit is passed.
   */
  async room(): Promise<void> {
    for (;;) {
      this.#makeRoom()
      if (!this.isCrowded || this.#unanswered === 0) return
      // Not a race of the answers: of thousands who wait for thousands, each pair is a callback.
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /**
   * Opens or reuses a file. Every borrow needs one `giveBack`. `onPressure` asks for that; its
   * promise, which never rejects, says that what could be done was done. Throws what opening
   * throws.
   */
  borrow(path: string, mode: 'read' | 'write', onPressure?: () => Promise<void>): File {
    let entry = this.#byPath[mode].get(path)
    if (entry === undefined) {
      this.#makeRoom()
      const file = this.fs.open(path, mode)
      entry = { file, mode, onPressure, borrowers: 0, isForgotten: false }
      this.#byPath[mode].set(path, entry)
      this.#byFile.set(entry.file, entry)
      const directory = directoryOf(path)
      const neighbours = this.#byDirectory.get(directory)
      if (neighbours === undefined) this.#byDirectory.set(directory, new Set([entry]))
      else neighbours.add(entry)
    }
    this.#lend(entry)
    return entry.file
  }

  /**
   * Borrows a file that the caller had before; false when it was closed or forgotten meanwhile.
   * Spares the writer of a log a look for the path with every group.
   */
  borrowAgain(file: File): boolean {
    const entry = this.#byFile.get(file)
    if (entry === undefined || entry.isForgotten) return false
    this.#lend(entry)
    return true
  }

  /** Ends a borrow. */
  giveBack(file: File): void {
    const entry = this.#byFile.get(file)
    // close() empties the tables while readers may still hold files.
    if (entry === undefined) return
    assert(entry.borrowers > 0, 'a file is given back once for each borrow')
    entry.borrowers--
    if (entry.borrowers > 0) return
    if (entry.isForgotten) {
      this.#close(entry)
      return
    }
    this.#claimable.delete(entry)
    this.#idle.add(entry)
    if (this.openCount > this.#filesMax) this.#closeIdle()
  }

  /** Drops every handle of a path that was renamed, replaced or removed. */
  forget(path: string): void {
    for (const mode of ['read', 'write'] as const) {
      const entry = this.#byPath[mode].get(path)
      if (entry !== undefined) this.#drop(entry)
    }
  }

  /**
   * Drops every handle of files in a directory: its log is closed, and what has these names next
   * may be other files.
   */
  forgetDirectory(directory: string): void {
    for (const entry of [...(this.#byDirectory.get(directory) ?? [])]) this.#drop(entry)
  }

  /** Closes everything, borrowed or not: reads in flight fail with EBADF. */
  close(): void {
    for (const file of this.#byFile.keys()) file.close()
    this.#byFile.clear()
    this.#byDirectory.clear()
    this.#byPath.read.clear()
    this.#byPath.write.clear()
    this.#idle.clear()
    this.#claimable.clear()
    this.cache.clear()
  }

  #lend(entry: Entry): void {
    entry.borrowers++
    if (entry.borrowers > 1) return
    this.#idle.delete(entry)
    if (entry.onPressure !== undefined) this.#claimable.add(entry)
  }

  #drop(entry: Entry): void {
    const { path } = entry.file
    this.#byPath[entry.mode].delete(path)
    const neighbours = this.#byDirectory.get(directoryOf(path))
    neighbours?.delete(entry)
    if (neighbours?.size === 0) this.#byDirectory.delete(directoryOf(path))
    this.#idle.delete(entry)
    this.#claimable.delete(entry)
    entry.isForgotten = true
    if (entry.borrowers === 0) this.#close(entry)
  }

  #close({ file }: Entry): void {
    this.#byFile.delete(file)
    file.close()
  }

  #makeRoom(): void {
    if (!this.isCrowded) return
    this.#closeIdle()
    if (!this.isCrowded) return
    const [entry] = this.#claimable
    if (entry?.onPressure === undefined) return
    // Asked once, until it was given back and borrowed again.
    this.#claimable.delete(entry)
    this.#unanswered++
    void entry.onPressure().then(() => this.#answered())
  }

  /** The next who waits has its turn; where no other answer is to come, all have. */
  #answered(): void {
    this.#unanswered--
    const woken = this.#unanswered === 0 ? this.#waiting.length : 1
    for (const resolve of this.#waiting.splice(0, woken)) resolve()
  }

  /** Closes idle files, the least recently used first, until there is room for one more. */
  #closeIdle(): void {
    for (const entry of this.#idle) {
      if (!this.isCrowded) return
      this.#drop(entry)
    }
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

interface Entry {
  readonly file: File
  readonly mode: 'read' | 'write'
  readonly onPressure: (() => Promise<void>) | undefined
  borrowers: number
  /** Whether its path is gone, or another file's. */
  isForgotten: boolean
}
