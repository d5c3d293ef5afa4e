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

/**
 * Looks at the partitions of a data directory, again and again where that is asked for: without a
 * lock, without writing. The logs stay open between two looks.
 */
export class PartitionLooks implements AsyncDisposable {
  readonly #data: string
  readonly #logs = new Map<string, ReadOnlyLog>()

  constructor(data: string) {
    this.#data = data
  }

  async look(topic: string, partition: number): Promise<PartitionLook> {
    const name = `${topic}-${partition}`
    try {
      const log = await this.#log(name)
      const { logStartOffset, highWatermark } = log
      const sizeBytes = log.segments().reduce((sum, segment) => sum + segment.sizeBytes, 0)
      return { topic, partition, logStartOffset, highWatermark, sizeBytes, error: null }
    } catch (error) {
      // It may be there again the next time.
      await this.#logs.get(name)?.close()
      this.#logs.delete(name)
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
