/** What members say of themselves, and are given, over all groups of a data directory. */
const bytesMax = 256 * 2 ** 20

/** What takes so many bytes. */
export interface Holder {
  readonly sizeBytes: number
}

/**
 * What the members of all groups take in memory by what clients choose the size of: their
 * subscriptions and assignments. A client may say 100 MiB at once, and is remembered for half an
 * hour; so there is an end to it.
 */
export class GroupMemory {
  readonly limitBytes: number
  #usedBytes = 0

  constructor(limitBytes: number = bytesMax) {
    this.limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  hasRoomFor(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.limitBytes
  }

  hold({ sizeBytes }: Holder): void {
    this.#usedBytes += sizeBytes
  }

  letGo({ sizeBytes }: Holder): void {
    this.#usedBytes -= sizeBytes
  }
}
