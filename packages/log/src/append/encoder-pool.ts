import { BatchEncoder } from '@varve/record'

/** What is kept for the next who needs one, in all. */
const idleBytesMax = 16 * 2 ** 20

/**
 * Encoders, with their memory, that nobody fills or writes from at the moment. A log has two while
 * it is appended to and none while it is idle, so that ten thousand idle logs hold nothing; and the
 * next append anywhere finds memory that is warm.
 */
export class EncoderPool {
  readonly #idle: BatchEncoder[] = []
  #idleBytes = 0

  /** Bytes held for the next who needs an encoder. */
  get idleBytes(): number {
    return this.#idleBytes
  }

  /** An empty encoder. */
  take(): BatchEncoder {
    const encoder = this.#idle.pop()
    if (encoder === undefined) return new BatchEncoder()
    this.#idleBytes -= encoder.capacityBytes
    return encoder
  }

  /** Nobody uses what is in it any more. */
  giveBack(encoder: BatchEncoder): void {
    encoder.clear()
    if (this.#idleBytes + encoder.capacityBytes > idleBytesMax) return
    this.#idleBytes += encoder.capacityBytes
    this.#idle.push(encoder)
  }
}

/** Of all logs of this process: memory is the process's. */
export const encoders: EncoderPool = new EncoderPool()
