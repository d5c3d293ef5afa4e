import { createHash } from 'node:crypto'
import type { MultipartUpload, Part } from '@aws-sdk/client-s3'
import { plainEtag, type S3Bucket } from './s3-bucket.ts'
import { S3Failure } from './s3-failure.ts'

/** S3's limits. */
const partsMax = 10_000
export const partBytesMin: number = 5 * 2 ** 20

/** Parts that are on their way at once. */
const lanes = 3

/** What a server may list before it is said to go round in circles. */
const pagesMax = 10_000

interface PlannedPart {
  readonly number: number
  readonly bytes: Uint8Array
  readonly md5: Buffer
}

export interface UploadInParts {
  readonly key: string
  readonly bytes: Uint8Array
  readonly partBytes: number
  /** Whether the server is to refuse when there is a file of that key by then. */
  readonly isConditional: boolean
  readonly signal: AbortSignal | null
}

/**
 * Uploads a file in parts. One that was left unfinished with the same parts is gone on with; what
 * cannot be finished is given up, unless the connection is what failed or the signal was given:
 * then it stays, to be gone on with. Resolves to the ETag that the whole should have. Rejects with
 * S3Failure.
 */
export async function uploadInParts(bucket: S3Bucket, upload: UploadInParts): Promise<string> {
  const { key, signal } = upload
  const parts = planParts(upload)
  const found = await findUnfinished(bucket, key, parts, signal)
  const uploadId = found?.uploadId ?? (await begin(bucket, key, signal))
  const etags = found?.etags ?? new Map<number, string>()
  try {
    const missing = parts.filter(({ number }) => !etags.has(number))
    const next = missing.values()
    let hasFailed = false
    const lane = async (): Promise<void> => {
      for (const part of next) {
        if (hasFailed) return
        etags.set(part.number, await putPart(bucket, key, uploadId, part, signal))
      }
    }
    const ends = await Promise.allSettled(
      Array.from({ length: lanes }, () =>
        lane().catch((error: unknown) => {
          hasFailed = true
          throw error
        }),
      ),
    )
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    await complete(bucket, upload, uploadId, parts, etags)
  } catch (error) {
    if (error instanceof S3Failure && !error.isRetriable) await abort(bucket, key, uploadId)
    throw error
  }
  const whole = createHash('md5').update(Buffer.concat(parts.map(({ md5 }) => md5)))
  return `${whole.digest('hex')}-${parts.length}`
}

function planParts({ bytes, partBytes }: UploadInParts): readonly PlannedPart[] {
  const size = Math.max(partBytes, Math.ceil(bytes.length / partsMax))
  const count = Math.ceil(bytes.length / size)
  return Array.from({ length: count }, (_, index) => {
    const part = bytes.subarray(index * size, (index + 1) * size)
    return { number: index + 1, bytes: part, md5: createHash('md5').update(part).digest() }
  })
}

async function begin(bucket: S3Bucket, key: string, signal: AbortSignal | null): Promise<string> {
  const { sdk, name } = bucket
  const { UploadId } = await bucket.request(signal, (client, attempt) =>
    client.send(new sdk.CreateMultipartUploadCommand({ Bucket: name, Key: key }), {
      abortSignal: attempt.signal,
    }),
  )
  if (UploadId !== undefined) return UploadId
  const details = { code: 'GarbledAnswer', isRetriable: false }
  throw new S3Failure('the server began an upload without a name', details)
}

function putPart(
  bucket: S3Bucket,
  key: string,
  uploadId: string,
  { number, bytes, md5 }: PlannedPart,
  signal: AbortSignal | null,
): Promise<string> {
  const input = {
    Bucket: bucket.name,
    Key: key,
    UploadId: uploadId,
    PartNumber: number,
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: md5.toString('base64'),
  }
  return bucket.retrying(signal, () =>
    bucket.once(bytes.length, signal, async (client, attempt) => {
      const command = new bucket.sdk.UploadPartCommand(input)
      const { ETag } = await client.send(command, { abortSignal: attempt.signal })
      return plainEtag(ETag)
    }),
  )
}

async function complete(
  bucket: S3Bucket,
  { key, isConditional, signal }: UploadInParts,
  uploadId: string,
  parts: readonly PlannedPart[],
  etags: ReadonlyMap<number, string>,
): Promise<void> {
  const Parts = parts.map(({ number }) => ({ PartNumber: number, ETag: `"${etags.get(number)}"` }))
  const input = {
    Bucket: bucket.name,
    Key: key,
    UploadId: uploadId,
    MultipartUpload: { Parts },
    ...(isConditional ? { IfNoneMatch: '*' } : {}),
  }
  let isAmbiguous = false
  await bucket.retrying(signal, async () => {
    try {
      await bucket.once(0, signal, (client, attempt) =>
        client.send(new bucket.sdk.CompleteMultipartUploadCommand(input), {
          abortSignal: attempt.signal,
        }),
      )
    } catch (error) {
      const failure = S3Failure.of(error)
      // It was put together, and the answer was lost; whoever asked looks at what is there.
      if (isAmbiguous && (failure.isMissing || failure.isConditionFailed)) return
      isAmbiguous ||= failure.isAmbiguous
      throw failure
    }
  })
}

async function abort(bucket: S3Bucket, key: string, uploadId: string): Promise<void> {
  const { sdk, name } = bucket
  const input = { Bucket: name, Key: key, UploadId: uploadId }
  try {
    await bucket.request(null, (client, { signal }) =>
      client.send(new sdk.AbortMultipartUploadCommand(input), { abortSignal: signal }),
    )
  } catch {
    // What failed before is what is told. The upload is removed with others that were left.
  }
}

/**
 * An upload of the same key that was left unfinished, of which every part is what would be sent:
 * anything else is somebody else's, and mixing two would make a file of neither.
 */
async function findUnfinished(
  bucket: S3Bucket,
  key: string,
  parts: readonly PlannedPart[],
  signal: AbortSignal | null,
): Promise<{ readonly uploadId: string; readonly etags: Map<number, string> } | null> {
  const planned = new Map(parts.map((part) => [part.number, part]))
  try {
    for await (const { Key, UploadId } of unfinishedUploads(bucket, key, signal)) {
      if (Key !== key || UploadId === undefined) continue
      const etags = new Map<number, string>()
      let isOurs = true
      for await (const { PartNumber = 0, ETag, Size } of partsOf(bucket, key, UploadId, signal)) {
        const part = planned.get(PartNumber)
        const isSame = part?.md5.toString('hex') === plainEtag(ETag) && part.bytes.length === Size
        isOurs &&= isSame
        etags.set(PartNumber, plainEtag(ETag))
      }
      if (isOurs && etags.size > 0) return { uploadId: UploadId, etags }
    }
    return null
  } catch (error) {
    signal?.throwIfAborted()
    // Not every server lists them, not everybody may see them: then from the beginning.
    if (error instanceof S3Failure && !error.isRetriable) return null
    throw error
  }
}

/** Uploads of keys that begin with a prefix, that were neither finished nor given up. */
export async function* unfinishedUploads(
  bucket: S3Bucket,
  prefix: string,
  signal: AbortSignal | null,
): AsyncIterable<MultipartUpload> {
  const { sdk, name } = bucket
  let from = {}
  for (let page = 0; page < pagesMax; page++) {
    const input = { Bucket: name, Prefix: prefix, ...from }
    const output = await bucket.request(signal, (client, attempt) =>
      client.send(new sdk.ListMultipartUploadsCommand(input), { abortSignal: attempt.signal }),
    )
    yield* output.Uploads ?? []
    const { IsTruncated, NextKeyMarker, NextUploadIdMarker } = output
    if (IsTruncated !== true || NextKeyMarker === undefined) return
    const next = {
      KeyMarker: NextKeyMarker,
      ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
    }
    if (JSON.stringify(next) === JSON.stringify(from)) return
    from = next
  }
}

async function* partsOf(
  bucket: S3Bucket,
  key: string,
  uploadId: string,
  signal: AbortSignal | null,
): AsyncIterable<Part> {
  const { sdk, name } = bucket
  let marker: string | undefined
  for (let page = 0; page < pagesMax; page++) {
    const from = marker === undefined ? {} : { PartNumberMarker: marker }
    const input = { Bucket: name, Key: key, UploadId: uploadId, ...from }
    const output = await bucket.request(signal, (client, attempt) =>
      client.send(new sdk.ListPartsCommand(input), { abortSignal: attempt.signal }),
    )
    yield* output.Parts ?? []
    const next = output.NextPartNumberMarker
    if (output.IsTruncated !== true || next === undefined || next === marker) return
    marker = next
  }
}

/** Gives up every upload that was left unfinished. Nobody may be uploading meanwhile. */
export async function abortUnfinished(bucket: S3Bucket, prefix: string): Promise<number> {
  const left: MultipartUpload[] = []
  for await (const upload of unfinishedUploads(bucket, prefix, null)) left.push(upload)
  for (const { Key, UploadId } of left) {
    if (Key !== undefined && UploadId !== undefined) await abort(bucket, Key, UploadId)
  }
  return left.length
}
