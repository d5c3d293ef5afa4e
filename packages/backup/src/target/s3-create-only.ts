import type { S3Bucket } from './s3-bucket.ts'
import { md5Of } from './s3-etags.ts'
import { S3Failure } from './s3-failure.ts'

/** What the probe holds, for people who find it. */
const probeText = 'Whether this bucket lets a file be made only once was tried with this one.\n'

/** Where the probe is; no file of the repository. */
export const probeKey = 'probe/create-only'

/** Whether a server decides who is first to write a key. Some say no, some do not listen. */
export class S3CreateOnly {
  readonly #bucket: S3Bucket
  readonly #probeKey: string
  #isAtomic: boolean | null
  #probing: Promise<boolean> | null = null

  /** @param declared null: it is to be found out */
  constructor(bucket: S3Bucket, prefix: string, declared: boolean | null) {
    this.#bucket = bucket
    this.#probeKey = `${prefix}${probeKey}`
    this.#isAtomic = declared
  }

  get isKnownAtomic(): boolean {
    return this.#isAtomic === true
  }

  /** Rejects with S3Failure. */
  async isAtomic(signal: AbortSignal | null): Promise<boolean> {
    if (this.#isAtomic !== null) return this.#isAtomic
    // Somebody else's signal must not end what all wait for.
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = null
    })
    this.#isAtomic = await this.#probing
    signal?.throwIfAborted()
    return this.#isAtomic
  }

  /** The file is made where it is not, and then it must be refused. */
  async #probe(): Promise<boolean> {
    const first = await this.#putProbe()
    if (first === 'made') return (await this.#putProbe()) === 'refused'
    // A server that refuses whatever is conditional knows nothing of conditions.
    return first === 'refused' && (await this.#bucket.head(this.#probeKey, null)) !== null
  }

  async #putProbe(): Promise<'made' | 'refused' | 'unknown'> {
    const { sdk, name } = this.#bucket
    const bytes = Buffer.from(probeText)
    const input = {
      Bucket: name,
      Key: this.#probeKey,
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: md5Of(bytes).toString('base64'),
      IfNoneMatch: '*',
    }
    try {
      await this.#bucket.request(null, (client, { signal }) =>
        client.send(new sdk.PutObjectCommand(input), { abortSignal: signal }),
      )
      return 'made'
    } catch (error) {
      const failure = S3Failure.of(error)
      if (failure.isConditionFailed) return 'refused'
      if (failure.isUnsupported || failure.httpStatus === 400) return 'unknown'
      throw failure
    }
  }
}
