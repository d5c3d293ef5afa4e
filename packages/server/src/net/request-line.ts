import type { RequestMemory } from './request-memory.ts'

/** A request that has been begun. */
export interface BegunRequest {
  readonly overlaps: boolean
  readonly frame: Buffer
  answer: readonly Uint8Array[] | null
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

/** The requests of a connection that have come and are not answered, in order. */
export class RequestLine {
  readonly #memory: RequestMemory
  /** Frames that wait for those before them to be answered. */
  readonly #waiting: Buffer[] = []
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
    return this.#waiting[0] ?? null
  }

  add(frame: Buffer): void {
    this.#memory.take(frame.length)
    this.#waiting.push(frame)
    this.#waitingBytes += frame.length
  }

  /** Whether the next may be begun before those before it are answered. */
  mayBegin(overlaps: boolean): boolean {
    const last = this.#begun.at(-1)
    if (last === undefined) return true
    if (!last.overlaps || !overlaps || this.#begun.length >= begunMax) return false
    return this.#begunBytes + (this.next?.length ?? 0) <= begunBytesMax
  }

  /** Takes the next, which waits, as begun. */
  begin(overlaps: boolean): BegunRequest {
    const frame = this.#waiting.shift() as Buffer
    this.#waitingBytes -= frame.length
    const begun: BegunRequest = { overlaps, frame, answer: null, isAnswered: false }
    this.#begun.push(begun)
    this.#begunBytes += frame.length
    return begun
  }

  /** Takes out the first, if it is answered. */
  takeAnswered(): BegunRequest | null {
    const first = this.#begun[0]
    if (first?.isAnswered !== true) return null
    this.#begun.shift()
    this.#begunBytes -= first.frame.length
    this.#memory.giveBack(first.frame.length)
    return first
  }

  /** Forgets those that have not been begun. */
  dropWaiting(): void {
    for (const frame of this.#waiting) this.#memory.giveBack(frame.length)
    this.#waiting.length = 0
    this.#waitingBytes = 0
  }

  /** Forgets those that have been: there is nobody to be answered. */
  dropBegun(): void {
    for (const { frame } of this.#begun) this.#memory.giveBack(frame.length)
    this.#begun.length = 0
    this.#begunBytes = 0
  }
}
