import { strict as assert } from 'node:assert'
import type { File, FileSystem } from './file-system.ts'

/**
 * The open files of one data directory, at most about `filesMax` of them. A file is borrowed, used
 * and returned; one that nobody has borrowed stays open until the place is needed, the least
 * recently used first. Borrowed files are never closed, so the limit can be passed for a moment by
 * more borrowers than it allows; `onPressure` then asks whoever has kept a file longest (an active
 * segment with unflushed data) to bring it back, and `room` waits for that.
 */
export class OpenFiles {
  readonly fs: FileSystem
  readonly #filesMax: number
  /** By mode and path, least recently used first. */
  readonly #entries = new Map<string, Entry>()
  /** Files whose path is gone from the table while somebody still reads them. */
  readonly #forgotten = new Map<File, Entry>()

  /** What those who were asked for their files still do. */
  readonly #answers = new Set<Promise<void>>()

  constructor(fs: FileSystem, filesMax: number) {
    assert(filesMax >= 1, 'at least one file can be open')
    this.fs = fs
    this.#filesMax = filesMax
  }

  get openCount(): number {
    return this.#entries.size
  }

  /** Whether more files are open than should be when one more is opened. */
  get isCrowded(): boolean {
    return this.#entries.size >= this.#filesMax
  }

  /**
   * Waits, where too many files are open, until somebody has brought one back. Not for ever: when
   * nobody can, the limit is passed.
   */
  async room(): Promise<void> {
    for (;;) {
      this.#makeRoom()
      if (!this.isCrowded || this.#answers.size === 0) return
      await Promise.race(this.#answers)
    }
  }

  /**
   * Opens or reuses a file. Every borrow needs one `giveBack`. `onPressure` asks for that; its
   * promise, which never rejects, says that what could be done was done. Throws what opening
   * throws.
   */
  borrow(path: string, mode: 'read' | 'write', onPressure?: () => Promise<void>): File {
    const key = `${mode} ${path}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      this.#makeRoom()
      entry = { key, file: this.fs.open(path, mode), borrowers: 0, onPressure, isAsked: false }
    } else {
      this.#entries.delete(key)
    }
    this.#entries.set(key, entry)
    entry.borrowers++
    return entry.file
  }

  /** Ends a borrow. */
  giveBack(path: string, mode: 'read' | 'write', file: File): void {
    const entry = this.#entries.get(`${mode} ${path}`)
    if (entry === undefined || entry.file !== file) {
      this.#giveBackForgotten(file)
      return
    }
    assert(entry.borrowers > 0, 'a file is given back once for each borrow')
    entry.borrowers--
    entry.isAsked = false
    if (this.#entries.size > this.#filesMax) this.#closeIdle()
  }

  /** Drops every handle of a path that was renamed, replaced or removed. */
  forget(path: string): void {
    for (const mode of ['read', 'write']) {
      const entry = this.#entries.get(`${mode} ${path}`)
      if (entry === undefined) continue
      this.#entries.delete(entry.key)
      if (entry.borrowers === 0) entry.file.close()
      else this.#forgotten.set(entry.file, entry)
    }
  }

  /**
   * Drops every handle of files in a directory: its log is closed, and what has these names next
   * may be other files.
   */
  forgetDirectory(directory: string): void {
    const start = `${directory}/`
    for (const { path } of [...this.#entries.values()].map(({ file }) => file)) {
      if (path.startsWith(start)) this.forget(path)
    }
  }

  /** Closes everything, borrowed or not: reads in flight fail with EBADF. */
  close(): void {
    for (const entry of this.#entries.values()) entry.file.close()
    for (const entry of this.#forgotten.values()) entry.file.close()
    this.#entries.clear()
    this.#forgotten.clear()
  }

  #giveBackForgotten(file: File): void {
    const entry = this.#forgotten.get(file)
    // close() empties both tables while readers may still hold files.
    if (entry === undefined) return
    entry.borrowers--
    if (entry.borrowers > 0) return
    this.#forgotten.delete(file)
    file.close()
  }

  #makeRoom(): void {
    if (!this.isCrowded) return
    this.#closeIdle()
    if (!this.isCrowded) return
    for (const entry of this.#entries.values()) {
      if (entry.onPressure === undefined || entry.isAsked) continue
      entry.isAsked = true
      const answer = entry.onPressure()
      this.#answers.add(answer)
      void answer.then(() => this.#answers.delete(answer))
      return
    }
  }

  /** Closes idle files, the least recently used first, until there is room for one more. */
  #closeIdle(): void {
    for (const entry of this.#entries.values()) {
      if (!this.isCrowded) return
      if (entry.borrowers > 0) continue
      this.#entries.delete(entry.key)
      entry.file.close()
    }
  }
}

interface Entry {
  readonly key: string
  readonly file: File
  borrowers: number
  readonly onPressure: (() => Promise<void>) | undefined
  /** Whether its borrower has been asked to bring it back. */
  isAsked: boolean
}
