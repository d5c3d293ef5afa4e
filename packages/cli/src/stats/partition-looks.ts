import { openLogReadOnly, type ReadOnlyLog } from '@varve/log'

/** A partition as it stood when it was looked at. */
export interface PartitionLook {
  readonly topic: string
  readonly partition: number
  readonly logStartOffset: number
  readonly highWatermark: number
  /** Of all segments. */
  readonly sizeBytes: number
  /** Why it cannot be read; null where it can. Then the numbers above are 0. */
  readonly error: string | null
}

/** Looks at partitions. */
export interface Looks {
  look(topic: string, partition: number): Promise<PartitionLook>
}

/** An open log holds three files; a directory may have thousands of partitions. */
const openLogsMax = 100

/**
 * Looks at the partitions of a data directory, again and again where that is asked for: without a
 * lock, without writing. Logs stay open between two looks, as far as they are not too many.
 */
export class PartitionLooks implements Looks, AsyncDisposable {
  readonly #data: string
  readonly #openMax: number
  readonly #logs = new Map<string, ReadOnlyLog>()

  constructor(data: string, options: { readonly openLogsMax?: number } = {}) {
    this.#data = data
    this.#openMax = options.openLogsMax ?? openLogsMax
  }

  async look(topic: string, partition: number): Promise<PartitionLook> {
    const name = `${topic}-${partition}`
    try {
      const log = await this.#log(name)
      const { logStartOffset, highWatermark } = log
      const sizeBytes = log.segments().reduce((sum, segment) => sum + segment.sizeBytes, 0)
      if (this.#logs.size > this.#openMax) await this.#close(name)
      return { topic, partition, logStartOffset, highWatermark, sizeBytes, error: null }
    } catch (error) {
      // It may be there again the next time.
      await this.#close(name)
      const none = { logStartOffset: 0, highWatermark: 0, sizeBytes: 0 }
      const message = error instanceof Error ? error.message : String(error)
      return { topic, partition, ...none, error: message }
    }
  }

  async close(): Promise<void> {
    for (const log of this.#logs.values()) await log.close()
    this.#logs.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(name: string): Promise<void> {
    const log = this.#logs.get(name)
    this.#logs.delete(name)
    await log?.close()
  }

  async #log(name: string): Promise<ReadOnlyLog> {
    const known = this.#logs.get(name)
    if (known !== undefined) {
      await known.refresh()
      return known
    }
    const log = await openLogReadOnly(`${this.#data}/${name}`)
    this.#logs.set(name, log)
    return log
  }
}

/** Looks at each partition once, whoever asks: all of them see it as it was then. */
export function lookingOnce(looks: Looks): Looks {
  const seen = new Map<string, Promise<PartitionLook>>()
  return {
    look(topic, partition) {
      const name = `${topic}-${partition}`
      const look = seen.get(name) ?? looks.look(topic, partition)
      seen.set(name, look)
      return look
    },
  }
}
