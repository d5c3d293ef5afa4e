import { Fifo } from '../base/fifo.ts'
import type { FramePiece } from '../protocol/unread-bytes.ts'
import type { RequestMemory } from './request-memory.ts'

/** A request that has been begun. */
export interface BegunRequest {
  /** Whether the next may be begun before this one is answered. */
  overlaps: boolean
  /** Whether it goes on when its client is gone. */
  goesOn: boolean
  readonly frame: Buffer
  answer: readonly FramePiece[] | null
  isAnswered: boolean
}

/** So many requests of a connection are begun and not answered at most. */
const begunMax = 256
/**
 * And so many bytes of them, beyond the first: enough to fill what is written at once, and little
 * beside what a client that never waits would have a server hold.
 */
const begunBytesMax = 4 * 2 ** 20
/** So many bytes of requests may wait for those before them. */
const waitingBytesMax = 4 * 2 ** 20
/** What a request takes beside its bytes, about: most of what the smallest take. */
const overheadBytes = 200

/** The requests of a connection that have come and are not answered, in order. */
export class RequestLine {
  readonly #memory: RequestMemory
  /** Frames that wait for those before them to be answered. */
  readonly #waiting = new Fifo<Buffer>()
  #waitingBytes = 0
  readonly #begun: BegunRequest[] = []
  #begunBytes = 0

  /** @param memory where all that stands here is counted */
  constructor(memory: RequestMemory) {
    this.#memory = memory
  }

  /** How many there are. */
  get length(): number {
    return this.#begun.length + this.#waiting.length
  }

  get isAnyBegun(): boolean {
    return this.#begun.length > 0
  }

  /** Whether so much waits that no more is to be read. */
  get isFull(): boolean {
    return this.#waitingBytes > waitingBytesMax
  }

  /** The frame to be begun next; null where none waits. */
  get next(): Buffer | null {
    return this.#waiting.next
  }

  add(frame: Buffer): void {
    const size = sizeOf(frame)
    this.#memory.take(size)
    this.#waiting.add(frame)
    this.#waitingBytes += size
  }

  /** Whether the next may be begun before those before it are answered. */
  mayBegin(overlaps: boolean): boolean {
    const last = this.#begun.at(-1)
    if (last === undefined) return true
    if (!last.overlaps || !overlaps || this.#begun.length >= begunMax) return false
    return this.#begunBytes + (this.next === null ? 0 : sizeOf(this.next)) <= begunBytesMax
  }

  /** Takes the next, which waits, as begun. */
  begin(overlaps: boolean, goesOn = false): BegunRequest {
    const frame = this.#waiting.take() as Buffer
    const size = sizeOf(frame)
    this.#waitingBytes -= size
    const begun = { overlaps, goesOn, frame, answer: null, isAnswered: false }
    this.#begun.push(begun)
    this.#begunBytes += size
    return begun
  }

  /** Takes out the first, if it is answered. */
  takeAnswered(): BegunRequest | null {
    const first = this.#begun[0]
    if (first?.isAnswered !== true) return null
    this.#begun.shift()
    const size = sizeOf(first.frame)
    this.#begunBytes -= size
    this.#memory.giveBack(size)
    return first
  }

  /** Forgets the next: nobody waits for its answer. */
  dropNext(): void {
    const frame = this.#waiting.take()
    if (frame === null) return
    this.#waitingBytes -= sizeOf(frame)
    this.#memory.giveBack(sizeOf(frame))
  }

  /** Forgets those that have not been begun. */
  dropWaiting(): void {
    for (const frame of this.#waiting.takeAll()) this.#memory.giveBack(sizeOf(frame))
    this.#waitingBytes = 0
  }

  /**
   * Forgets those that have been, as there is nobody to be answered; but for what goes on all the
   * same: what comes after it in order still has to wait for it.
   */
  dropBegun(): void {
    const all = this.#begun.splice(0)
    this.#begunBytes = 0
    for (const begun of all) {
      const size = sizeOf(begun.frame)
      if (begun.goesOn && !begun.isAnswered) {
        this.#begun.push(begun)
        this.#begunBytes += size
      } else this.#memory.giveBack(size)
    }
  }
}

function sizeOf(frame: Buffer): number {
  return frame.length + overheadBytes
}
