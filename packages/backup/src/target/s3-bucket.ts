import type {
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  S3Client,
  S3ClientConfig,
} from '@aws-sdk/client-s3'
import type { Clock } from '@varve/log'
import type { S3Address } from './s3-address.ts'
import { S3Failure } from './s3-failure.ts'
import { type RetryPolicy, withRetries } from './s3-retries.ts'
import { loadS3Sdk, type S3Sdk, withoutVersionWarning } from './s3-sdk.ts'

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface S3BucketOptions {
  /** @defaultValue the library's usual chain: environment, profiles, the machine's role */
  readonly credentials?: S3Credentials
  readonly retries: RetryPolicy
  /** How long nothing may come of a request, beside the time that its bytes take. */
  readonly requestTimeoutMs: number
}

/** Slower than this, a transfer is taken for one that stands still. */
const bytesPerMsMin = 64

/** Of an answer that says it is longer, nothing is read. */
const answerBytesMax = 2 ** 32

/** A request that is being made. */
export interface S3Attempt {
  readonly signal: AbortSignal
  /** Gives it the time that so many bytes take, from now. */
  allow(bytes: number): void
}

/** A file as its headers describe it. */
export interface S3File {
  readonly sizeBytes: number
  readonly modifiedMs: number
  /** Without quotation marks. */
  readonly etag: string
  /** Whether the server encrypts it in a way that makes its ETag something else than an MD5. */
  readonly isEncrypted: boolean
}

/**
 * Requests to a bucket: each is made until it succeeds or fails for good, and none waits for ever.
 * All reject with S3Failure, or with the signal's reason.
 */
export class S3Bucket {
  readonly sdk: S3Sdk
  readonly name: string
  readonly #client: S3Client
  readonly #retries: RetryPolicy
  readonly #requestTimeoutMs: number

  private constructor(sdk: S3Sdk, client: S3Client, name: string, options: S3BucketOptions) {
    this.sdk = sdk
    this.name = name
    this.#client = client
    this.#retries = options.retries
    this.#requestTimeoutMs = options.requestTimeoutMs
  }

  /** Makes no request. Rejects with S3ClientMissingError. */
  static async open(address: S3Address, options: S3BucketOptions): Promise<S3Bucket> {
    const sdk = await loadS3Sdk()
    const config = configOf(address, options.credentials)
    const client = withoutVersionWarning(() => new sdk.S3Client(config))
    return new S3Bucket(sdk, client, address.bucket, options)
  }

  get clock(): Clock {
    return this.#retries.clock
  }

  /** Runs what makes requests with `once`, again and again if need be. */
  retrying<Result>(signal: AbortSignal | null, run: () => Promise<Result>): Promise<Result> {
    return withRetries(this.#retries, signal, run)
  }

  /** Makes a request once. `bytes`: how many are sent with it. */
  async once<Result>(
    bytes: number,
    signal: AbortSignal | null,
    run: (client: S3Client, attempt: S3Attempt) => Promise<Result>,
  ): Promise<Result> {
    const timeout = new AbortController()
    const start = (count: number) =>
      this.clock.setTimer(this.#requestTimeoutMs + count / bytesPerMsMin, () => timeout.abort())
    let timer = start(bytes)
    const allow = (count: number): void => {
      timer.cancel()
      timer = start(count)
    }
    const signals = signal === null ? [timeout.signal] : [signal, timeout.signal]
    try {
      return await run(this.#client, { signal: AbortSignal.any(signals), allow })
    } catch (error) {
      signal?.throwIfAborted()
      if (!timeout.signal.aborted) throw S3Failure.of(error)
      const details = { code: 'TimeoutError', isRetriable: true, isAmbiguous: true }
      throw new S3Failure('the server does not answer', details)
    } finally {
      timer.cancel()
    }
  }

  /** Makes a request with few bytes until it succeeds. */
  request<Result>(
    signal: AbortSignal | null,
    run: (client: S3Client, attempt: S3Attempt) => Promise<Result>,
  ): Promise<Result> {
    return this.retrying(signal, () => this.once(0, signal, run))
  }

  /** Null when there is no such file. */
  async head(key: string, signal: AbortSignal | null): Promise<S3File | null> {
    const command = () => new this.sdk.HeadObjectCommand({ Bucket: this.name, Key: key })
    try {
      const output = await this.request(signal, (client, attempt) =>
        client.send(command(), { abortSignal: attempt.signal }),
      )
      return fileOf(output)
    } catch (error) {
      if (error instanceof S3Failure && error.isMissing) return null
      throw error
    }
  }

  /** Reads a file once, without trying again. Null when there is no such file. */
  async getOnce(
    key: string,
    signal: AbortSignal | null,
  ): Promise<{ readonly file: S3File; readonly bytes: Buffer } | null> {
    const command = new this.sdk.GetObjectCommand({ Bucket: this.name, Key: key })
    try {
      return await this.once(0, signal, async (client, attempt) => {
        const output = await client.send(command, { abortSignal: attempt.signal })
        const file = fileOf(output)
        attempt.allow(file.sizeBytes)
        return { file, bytes: await readBody(output, file.sizeBytes, attempt.signal) }
      })
    } catch (error) {
      if (error instanceof S3Failure && error.isMissing) return null
      throw error
    }
  }

  close(): void {
    this.#client.destroy()
  }
}

function configOf(address: S3Address, credentials: S3Credentials | undefined): S3ClientConfig {
  const { endpoint, region, usesPathStyle } = address
  return {
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(credentials === undefined ? {} : { credentials }),
    forcePathStyle: usesPathStyle,
    // Checksums in trailers of streams are what servers other than Amazon's get wrong or refuse;
    // here every body is whole and carries its MD5.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    // Tried again is here, by what a failure means for what is being stored.
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 10_000, socketAcquisitionWarningTimeout: 600_000 },
  }
}

function fileOf(output: HeadObjectCommandOutput | GetObjectCommandOutput): S3File {
  const { ContentLength, LastModified, ETag, ServerSideEncryption, SSECustomerAlgorithm } = output
  const modifiedMs = LastModified?.getTime() ?? Number.NaN
  const isValid = ContentLength !== undefined && ContentLength >= 0 && Number.isFinite(modifiedMs)
  if (!isValid) throw garbled('an answer without length or date')
  return {
    sizeBytes: ContentLength,
    modifiedMs,
    etag: plainEtag(ETag),
    isEncrypted:
      ServerSideEncryption?.startsWith('aws:kms') === true || SSECustomerAlgorithm !== undefined,
  }
}

/** Without its quotation marks, which some servers leave out. */
export function plainEtag(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '')
}

/** What the server says cannot be; it may do better when asked again. */
export function garbled(what: string): S3Failure {
  return new S3Failure(`the server sent ${what}`, { code: 'GarbledAnswer', isRetriable: true })
}

async function readBody(
  { Body }: GetObjectCommandOutput,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  if (Body === undefined) throw garbled('an answer without a body')
  const body = Body as unknown as AsyncIterable<Buffer> & { destroy(error?: Error): void }
  if (sizeBytes > answerBytesMax) {
    body.destroy()
    throw garbled('more bytes than a file has')
  }
  const stop = (): void => body.destroy(new Error('aborted'))
  signal.addEventListener('abort', stop, { once: true })
  const chunks: Buffer[] = []
  let count = 0
  try {
    for await (const chunk of body) {
      count += chunk.length
      if (count > sizeBytes) throw garbled('more bytes than it said')
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof S3Failure) throw error
    const reason = error instanceof Error ? error.message : String(error)
    const details = { code: 'BrokenBody', isRetriable: true }
    throw new S3Failure(
      `the connection broke after ${count} of ${sizeBytes} bytes: ${reason}`,
      details,
    )
  } finally {
    signal.removeEventListener('abort', stop)
  }
  if (count < sizeBytes) throw garbled(`${count} of ${sizeBytes} bytes`)
  return Buffer.concat(chunks, count)
}
