import type { FilePosition } from '@varve/record'
import type { File } from '../storage/file-system.ts'

/**
 * Read at once: large enough that the thread-pool hop costs little, small enough to stay cached.
 */
const stretchBytes = 1024 * 1024
/** And at most, where batches are larger than that: the next is likely as large. */
const stretchBytesMax = 4 * 1024 * 1024
/** Below this a read is shorter than the hop through the thread pool. */
const synchronousBytes = 64 * 1024
/** Stretches that were looked at, but somebody else is not done with. */
const usersMax = 1

/** Bytes of a file, in memory that is used again when the reader moves on. */
export interface Stretch {
  readonly memory: Buffer
  /** So many bytes of `memory`, from its start, are those of the file from `position` on. */
  readonly filled: number
  readonly position: FilePosition
  /** Whether the file had fewer bytes than it was said to have. */
  readonly isShort: boolean
}

/** A stretch that is being read. */
interface Ahead {
  readonly memory: Buffer
  readonly reading: Promise<Stretch>
}

/**
 * Reads a file forward, each byte once, in stretches that begin where the caller says: while one is
 * looked at, the thread pool reads the next. Two buffers take turns, or three where
 * somebody else has a use for what was looked at.
 */
export class StretchReader {
  readonly #file: File
  readonly #to: FilePosition
  /** Read at once. */
  #wanted: number
  /** Not in use, of that size. */
  #free: Buffer[] = []
  /** Not in use, for one batch that is larger; null where there is none. */
  #large: Buffer | null = null
  /** What those who still use a buffer do with it, oldest first. It gets free with that. */
  readonly #users: Array<Promise<void>> = []
  #current: Stretch
  #ahead: Ahead | null = null

  constructor(file: File, from: FilePosition, to: FilePosition) {
    this.#file = file
    this.#to = to
    this.#wanted = Math.max(0, Math.min(stretchBytes, to - from))
    const nothing = Buffer.alloc(0)
    this.#current = { memory: nothing, filled: 0, position: from, isShort: false }
  }

  /** The stretch at the start. */
  first(): Promise<Stretch> {
    return this.next(0, 0)
  }

  /**
   * Begins to read the stretch that starts behind the first `used` bytes of this one, where that is
   * worth a hop through the thread pool. To be followed by `next` with the same `used`.
   */
  async readAhead(used: number): Promise<void> {
    const { position, filled } = this.#current
    const restBytes = Math.min(this.#wanted, this.#to - position - used) - (filled - used)
    if (restBytes <= synchronousBytes) return
    const memory = await this.#freeBuffer()
    const reading = this.#read(memory, used, this.#wanted)
    // Nobody may ever ask for it.
    reading.catch(() => undefined)
    this.#ahead = { memory, reading }
  }

  /**
   * The stretch that starts behind the first `used` bytes of this one: at least `least` bytes where
   * the file has them. This one's memory is used again, when `using` has settled where that is
   * given; if it rejects, one of the next calls does so.
   */
  async next(used: number, least: number, using: Promise<void> | null = null): Promise<Stretch> {
    const { memory: given } = this.#current
    const ahead = this.#ahead
    this.#ahead = null
    const free = (): void => {
      if (given.length === this.#wanted) this.#free.push(given)
      else if (given.length > Math.max(this.#wanted, this.#large?.length ?? 0)) this.#large = given
    }
    if (ahead !== null) {
      this.#current = await ahead.reading
    } else {
      if (least > this.#wanted && least <= stretchBytesMax) this.#grow()
      const isLarge = least > this.#wanted
      const memory = isLarge ? this.#largeBuffer(least) : await this.#freeBuffer()
      this.#current = await this.#read(memory, used, memory.length)
    }
    if (using === null) free()
    else this.#use(using.then(free))
    return this.#current
  }

  /** Resolves when nothing is under way any more; rejects where one of those `using` did. */
  async settle(): Promise<void> {
    const users = this.#users.splice(0)
    await this.#ahead?.reading.catch(() => undefined)
    this.#ahead = null
    const results = await Promise.allSettled(users)
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  #use(using: Promise<void>): void {
    // It is asked for later.
    using.catch(() => undefined)
    this.#users.push(using)
  }

  #grow(): void {
    this.#wanted = stretchBytesMax
    this.#free = []
  }

  #largeBuffer(least: number): Buffer {
    const large = this.#large
    this.#large = null
    return large !== null && large.length >= least ? large : Buffer.allocUnsafeSlow(least)
  }

  async #freeBuffer(): Promise<Buffer> {
    while (this.#users.length > usersMax) await this.#users.shift()
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#wanted)
  }

  /** Takes over what the current stretch has behind its first `used` bytes, and reads the rest. */
  async #read(memory: Buffer, used: number, length: number): Promise<Stretch> {
    const { memory: given, filled: givenFilled, position: givenPosition } = this.#current
    const position = givenPosition + used
    const kept = given.copy(memory, 0, used, givenFilled)
    const wanted = Math.min(length, this.#to - position)
    const rest = memory.subarray(kept, wanted)
    const count =
      rest.length <= synchronousBytes
        ? this.#file.readSync(rest, position + kept)
        : await this.#file.read(rest, position + kept)
    return { memory, filled: kept + count, position, isShort: count < rest.length }
  }
}
