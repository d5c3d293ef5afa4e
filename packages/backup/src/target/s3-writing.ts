import { plainEtag, type S3Bucket } from './s3-bucket.ts'
import { md5Of } from './s3-etags.ts'
import { S3Failure } from './s3-failure.ts'
import { uploadInParts } from './s3-multipart.ts'
import type { S3Reading } from './s3-reading.ts'

interface WritingOptions {
  readonly check: 'look' | 'read'
  readonly partBytes: number
}

interface CreateOptions {
  /** Whether the server decides who is first. */
  readonly isAtomic: boolean
  readonly signal: AbortSignal | null
}

interface Sending {
  readonly key: string
  readonly bytes: Uint8Array
  readonly isConditional: boolean
  readonly signal: AbortSignal | null
}

/** Writes files, and makes sure that what was sent is what the server has. */
export class S3Writing {
  readonly #bucket: S3Bucket
  readonly #reading: S3Reading
  readonly #options: WritingOptions

  constructor(bucket: S3Bucket, reading: S3Reading, options: WritingOptions) {
    this.#bucket = bucket
    this.#reading = reading
    this.#options = options
  }

  /** Rejects with S3Failure. */
  replace(key: string, bytes: Uint8Array, signal: AbortSignal | null): Promise<boolean> {
    return this.#write({ key, bytes, isConditional: false, signal })
  }

  /** Resolves to false when there is a file of that key. Rejects with S3Failure. */
  async create(
    key: string,
    bytes: Uint8Array,
    { isAtomic, signal }: CreateOptions,
  ): Promise<boolean> {
    const looks = !isAtomic || this.#isLarge(bytes)
    if (looks && (await this.#bucket.head(key, signal)) !== null) return false
    return this.#write({ key, bytes, isConditional: isAtomic, signal })
  }

  #isLarge(bytes: Uint8Array): boolean {
    return bytes.length > this.#options.partBytes
  }

  async #write(sending: Sending): Promise<boolean> {
    const { key, signal } = sending
    /** Whether the server said that it took it; whether it may have, and the answer was lost. */
    const state = { isTaken: false, mayBeTaken: false }
    try {
      return await this.#bucket.retrying(signal, async () => {
        // What is there now came from here, and is wrong: it is to be replaced.
        const isConditional = sending.isConditional && !state.isTaken
        return await this.#send({ ...sending, isConditional }, state)
      })
    } catch (error) {
      // It would be taken for good by whoever finds it.
      if (error instanceof S3Failure && error.code === notStoredCode) await this.#discard(key)
      throw error
    }
  }

  async #send(
    sending: Sending,
    state: { isTaken: boolean; mayBeTaken: boolean },
  ): Promise<boolean> {
    const { key, bytes, signal } = sending
    try {
      const etag = this.#isLarge(bytes)
        ? await uploadInParts(this.#bucket, { ...sending, partBytes: this.#options.partBytes })
        : await this.#sendWhole(sending)
      state.isTaken = true
      await this.#assertStored(key, bytes, etag, signal)
      return true
    } catch (error) {
      const failure = S3Failure.of(error)
      if (failure.isConditionFailed && sending.isConditional) {
        return this.#isOurs(key, bytes, state.mayBeTaken, signal)
      }
      state.mayBeTaken ||= failure.isAmbiguous
      throw failure
    }
  }

  /** Sends a file in one request. Resolves to the ETag that it should have. */
  #sendWhole({ key, bytes, isConditional, signal }: Sending): Promise<string> {
    const { sdk, name } = this.#bucket
    const md5 = md5Of(bytes)
    const input = {
      Bucket: name,
      Key: key,
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: md5.toString('base64'),
      ContentType: 'application/octet-stream',
      ...(isConditional ? { IfNoneMatch: '*' } : {}),
    }
    return this.#bucket.once(bytes.length, signal, async (client, attempt) => {
      await client.send(new sdk.PutObjectCommand(input), { abortSignal: attempt.signal })
      return md5.toString('hex')
    })
  }

  /** Of a file that the server says is there: whether it came from here after all. */
  async #isOurs(
    key: string,
    bytes: Uint8Array,
    mayBeTaken: boolean,
    signal: AbortSignal | null,
  ): Promise<boolean> {
    if (mayBeTaken && (await this.#reading.holds(key, bytes, signal))) return true
    if ((await this.#bucket.head(key, signal)) !== null) return false
    const details = { code: 'Contradiction', isRetriable: true }
    throw new S3Failure('the server says both that there is a file and that there is none', details)
  }

  /** What was taken is there, and is what was sent. */
  async #assertStored(
    key: string,
    bytes: Uint8Array,
    etag: string,
    signal: AbortSignal | null,
  ): Promise<void> {
    const file = await this.#bucket.head(key, signal)
    if (file === null) throw notStored('there is nothing')
    if (file.sizeBytes !== bytes.length) {
      throw notStored(`there are ${file.sizeBytes} bytes of ${bytes.length}`)
    }
    const isWhole = !etag.includes('-')
    const md5 = Buffer.from(etag, 'hex')
    const agrees = isWhole ? this.#reading.etags.agrees(file, md5) : agreesInParts(file.etag, etag)
    if (agrees !== false && this.#options.check === 'look') return
    if (!(await this.#reading.holds(key, bytes, signal))) throw notStored('there is something else')
    if (agrees === false && isWhole) this.#reading.etags.meansNothing()
  }

  async #discard(key: string): Promise<void> {
    const { sdk, name } = this.#bucket
    const command = () => new sdk.DeleteObjectCommand({ Bucket: name, Key: key })
    // Whoever may not remove cannot help it; what failed before is what is told.
    await this.#bucket
      .request(null, (client, { signal }) => client.send(command(), { abortSignal: signal }))
      .catch(() => undefined)
  }
}

const notStoredCode = 'NotStored'

/** Null: says nothing. Only an ETag in the usual form for parts does. */
function agreesInParts(found: string, expected: string): boolean | null {
  return /^[0-9a-f]{32}-\d+$/.test(found) ? plainEtag(found) === expected : null
}

function notStored(what: string): S3Failure {
  return new S3Failure(`the server took the file, and ${what} where it should be`, {
    code: notStoredCode,
    isRetriable: true,
  })
}
