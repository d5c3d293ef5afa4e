import { type Clock, systemClock } from '@varve/log'
import { InvalidArgumentError, VarveError } from '@varve/record'
import { TargetError } from '../base/backup-errors.ts'
import { describeS3Address, parseS3Address, type S3Address } from './s3-address.ts'
import { S3Bucket, type S3Credentials } from './s3-bucket.ts'
import { probeKey, S3CreateOnly } from './s3-create-only.ts'
import { S3Failure } from './s3-failure.ts'
import { listBucket } from './s3-listing.ts'
import { abortUnfinished, partBytesMin } from './s3-multipart.ts'
import { S3Reading } from './s3-reading.ts'
import { S3Removals } from './s3-removals.ts'
import { S3Writing } from './s3-writing.ts'
import { isTargetKey, type PutOptions, type StoredFile, type Target } from './target.ts'

export interface S3TargetOptions {
  /** @defaultValue the client library's usual chain: environment, profiles, the machine's role */
  readonly credentials?: S3Credentials
  /**
   * What is done to be sure of each file that was written:
   *
   * - `look`: the server is asked for its size and its MD5. @defaultValue
   * - `read`: it is read back and compared.
   */
  readonly check?: 'look' | 'read'
  /** Larger files go in parts of so many bytes, 5 MiB at least. @defaultValue 67108864 */
  readonly partBytes?: number
  /** How often a request is made before it has failed. @defaultValue 8 */
  readonly attempts?: number
  /** What is waited after a first failure, at most; then twice as long. @defaultValue 200 */
  readonly retryDelayMs?: number
  /** How long a server may say nothing, in ms. @defaultValue 60000 */
  readonly requestTimeoutMs?: number
  /** @defaultValue the system's */
  readonly clock?: Clock
}

/**
 * A repository in a bucket of Amazon's S3 or of a server that speaks its protocol. Needs the
 * package `@aws-sdk/client-s3`.
 *
 * Whether two who write the same key are kept apart by the server is found out with the first such
 * file, by a file `probe/create-only` that stays there, unless the address says it. Files that go
 * in parts are kept apart only as far as the server does it for those.
 */
export class S3Target implements Target {
  readonly name: string
  readonly #prefix: string
  readonly #bucket: S3Bucket
  readonly #createOnly: S3CreateOnly
  readonly #writing: S3Writing
  readonly #reading: S3Reading
  readonly #removals: S3Removals

  private constructor(address: S3Address, bucket: S3Bucket, options: S3TargetOptions) {
    const { check = 'look', partBytes = 64 * 2 ** 20 } = options
    this.name = describeS3Address(address)
    this.#prefix = address.prefix
    this.#bucket = bucket
    this.#reading = new S3Reading(bucket)
    this.#createOnly = new S3CreateOnly(bucket, address.prefix, address.createOnly)
    this.#writing = new S3Writing(bucket, this.#reading, { check, partBytes })
    this.#removals = new S3Removals(bucket)
  }

  /**
   * Makes no request. `address`: `s3://bucket/prefix?endpoint=https://…`, see `parseS3Address`.
   * Rejects with S3ClientMissingError, InvalidArgumentError.
   */
  static async open(address: string, options: S3TargetOptions = {}): Promise<S3Target> {
    const { attempts = 8, retryDelayMs: delayMs = 200, requestTimeoutMs = 60_000 } = options
    const { clock = systemClock, credentials, partBytes = partBytesMin } = options
    atLeast('attempts', attempts, 1)
    atLeast('retryDelayMs', delayMs, 0)
    atLeast('requestTimeoutMs', requestTimeoutMs, 1)
    atLeast('partBytes', partBytes, partBytesMin)
    const parsed = parseS3Address(address)
    const bucket = await S3Bucket.open(parsed, {
      ...(credentials === undefined ? {} : { credentials }),
      retries: { attempts, delayMs, clock },
      requestTimeoutMs,
    })
    return new S3Target(parsed, bucket, options)
  }

  /** False, too, until it is known. */
  get isCreateOnlyAtomic(): boolean {
    return this.#createOnly.isKnownAtomic
  }

  put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<boolean> {
    const { mode = 'new', signal = null } = options
    const path = this.#pathOf(key)
    return this.#told(`writing ${key}`, async () => {
      if (mode === 'replace') return this.#writing.replace(path, bytes, signal)
      const isAtomic = await this.#createOnly.isAtomic(signal)
      return this.#writing.create(path, bytes, { isAtomic, signal })
    })
  }

  get(key: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Buffer | null> {
    const path = this.#pathOf(key)
    return this.#told(`reading ${key}`, () => this.#reading.read(path, signal ?? null))
  }

  stat(key: string): Promise<StoredFile | null> {
    const path = this.#pathOf(key)
    return this.#told(`looking at ${key}`, async () => {
      const file = await this.#bucket.head(path, null)
      return file && { key, sizeBytes: file.sizeBytes, modifiedMs: file.modifiedMs }
    })
  }

  async *list(prefix: string): AsyncIterable<StoredFile> {
    if (prefix !== '' && !(prefix.endsWith('/') && isTargetKey(prefix.slice(0, -1)))) {
      refuseKey(prefix)
    }
    try {
      for await (const { key: path, ...file } of listBucket(this.#bucket, this.#prefix + prefix)) {
        const key = path.slice(this.#prefix.length)
        // Consoles leave empty files that stand for directories.
        if (isTargetKey(key) && key !== probeKey) yield { key, ...file }
      }
    } catch (error) {
      throw this.#failed(`listing ${prefix}`, error)
    }
  }

  remove(key: string): Promise<void> {
    const path = this.#pathOf(key)
    return this.#told(`removing ${key}`, () => this.#removals.remove(path))
  }

  /** Gives up uploads that a crash left unfinished. Nobody may be writing meanwhile. */
  async removeTemporaryFiles(): Promise<void> {
    await this.#told('removing unfinished uploads', async () => {
      await abortUnfinished(this.#bucket, this.#prefix)
    })
  }

  async close(): Promise<void> {
    this.#bucket.close()
  }

  #pathOf(key: string): string {
    if (!isTargetKey(key)) refuseKey(key)
    return this.#prefix + key
  }

  async #told<Result>(doing: string, run: () => Promise<Result>): Promise<Result> {
    try {
      return await run()
    } catch (error) {
      throw this.#failed(doing, error)
    }
  }

  /** Also the reason of a signal is passed on as it is. */
  #failed(doing: string, error: unknown): unknown {
    if (error instanceof VarveError || !(error instanceof S3Failure)) return error
    return new TargetError(`${doing} in ${this.name}`, error, error.isRetriable)
  }
}

function atLeast(name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return
  throw new InvalidArgumentError(name, value, `must be ${least} or more`)
}

function refuseKey(key: string): never {
  throw new InvalidArgumentError('key', key, 'is not a path within a repository')
}
