import type { IdentitySource, ProducerIdentity } from './producer-identity.ts'

interface Block {
  readonly first: number
  readonly count: number
}

/** Producer ids for producers without a name: each gets one that nobody has had. */
export class ProducerIds implements IdentitySource {
  readonly #takeBlock: () => Promise<Block>
  #next = 0
  #end = 0
  #refilling: Promise<void> | null = null

  /** @param takeBlock noted durably before it resolves */
  constructor(takeBlock: () => Promise<Block>) {
    this.#takeBlock = takeBlock
  }

  async next(): Promise<number> {
    while (this.#next === this.#end) {
      this.#refilling ??= this.#refill()
      await this.#refilling
    }
    return this.#next++
  }

  async take(): Promise<ProducerIdentity> {
    return { producerId: await this.next(), producerEpoch: 0 }
  }

  giveBack(): void {
    // An id is used once; there are 2^53 of them.
  }

  async #refill(): Promise<void> {
    try {
      const { first, count } = await this.#takeBlock()
      this.#next = first
      this.#end = first + count
    } finally {
      this.#refilling = null
    }
  }
}
