import type { S3Bucket } from './s3-bucket.ts'
import { S3Failure } from './s3-failure.ts'

/** S3's limit. */
const batchKeysMax = 1000

/** Requests for single files that are on their way at once. */
const lanes = 8

interface Waiting {
  readonly key: string
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Removes files. What is asked for while requests are on their way goes into one request together,
 * and one by one where the server cannot do that.
 */
export class S3Removals {
  readonly #bucket: S3Bucket
  readonly #waiting: Waiting[] = []
  #isRunning = false
  #knowsBatches = true

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
  }

  /** Removing what is not there is no error. Rejects with S3Failure. */
  remove(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // Whoever asks in the same breath is in the first batch.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, batchKeysMax)
      const rest = batch.length > 1 && this.#knowsBatches ? await this.#removeBatch(batch) : batch
      const next = rest.values()
      const lane = async (): Promise<void> => {
        for (const { key, resolve, reject } of next) {
          await this.#removeOne(key).then(resolve, reject)
        }
      }
      await Promise.all(Array.from({ length: lanes }, lane))
    }
    this.#isRunning = false
  }

  /** Resolves to those that are to be removed one by one. */
  async #removeBatch(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    const { sdk, name } = this.#bucket
    const Objects = [...new Set(batch.map(({ key }) => key))].map((key) => ({ Key: key }))
    const input = { Bucket: name, Delete: { Objects } }
    try {
      const { Deleted = [] } = await this.#bucket.request(null, (client, { signal }) =>
        client.send(new sdk.DeleteObjectsCommand(input), { abortSignal: signal }),
      )
      const gone = new Set(Deleted.map(({ Key }) => Key))
      for (const { key, resolve } of batch) if (gone.has(key)) resolve()
      return batch.filter(({ key }) => !gone.has(key))
    } catch (error) {
      // Swift wants a header that the library does not send; others do not know the request.
      if (error instanceof S3Failure && !error.isRetriable) {
        this.#knowsBatches = false
        return batch
      }
      for (const { reject } of batch) reject(error)
      return []
    }
  }

  async #removeOne(key: string): Promise<void> {
    const { sdk, name } = this.#bucket
    try {
      await this.#bucket.request(null, (client, { signal }) =>
        client.send(new sdk.DeleteObjectCommand({ Bucket: name, Key: key }), {
          abortSignal: signal,
        }),
      )
    } catch (error) {
      if (error instanceof S3Failure && error.isMissing) return
      throw error
    }
  }
}
