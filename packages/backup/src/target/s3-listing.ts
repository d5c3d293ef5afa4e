import type { _Object as ListedObject, ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { garbled, type S3Bucket } from './s3-bucket.ts'
import { S3Failure } from './s3-failure.ts'

/** So many pages with nothing on them, and it is not going to end. */
const emptyPagesMax = 100

export interface ListedFile {
  readonly key: string
  readonly sizeBytes: number
  readonly modifiedMs: number
}

/**
 * The files of a bucket whose keys begin with a prefix, sorted by key. A server that leaves the
 * order, repeats itself or never comes to an end is found out: a file that a listing passes over
 * would be taken for one that is not there. Throws S3Failure.
 */
export async function* listBucket(bucket: S3Bucket, prefix: string): AsyncIterable<ListedFile> {
  let last = ''
  let token: string | undefined
  let emptyPages = 0
  for (;;) {
    const page = await listPage(bucket, prefix, { last, token })
    for (const object of page.Contents ?? []) {
      const file = listedFile(object)
      if (!file.key.startsWith(prefix)) throw unreliable('keys that were not asked for')
      if (!(file.key > last)) throw unreliable('keys out of order')
      last = file.key
      yield file
    }
    if (page.IsTruncated !== true) return
    emptyPages = (page.Contents ?? []).length === 0 ? emptyPages + 1 : 0
    const next = page.NextContinuationToken
    const isStuck = next === undefined ? emptyPages > 0 : next === token
    if (isStuck || emptyPages > emptyPagesMax) throw unreliable('the same page for ever')
    token = next
  }
}

function listPage(
  bucket: S3Bucket,
  prefix: string,
  { last, token }: { readonly last: string; readonly token: string | undefined },
): Promise<ListObjectsV2CommandOutput> {
  // A server may say that there is more and not how to ask for it: then by the last key.
  const from =
    token !== undefined ? { ContinuationToken: token } : last !== '' ? { StartAfter: last } : {}
  const input = { Bucket: bucket.name, Prefix: prefix, ...from }
  return bucket.request(null, (client, { signal }) =>
    client.send(new bucket.sdk.ListObjectsV2Command(input), { abortSignal: signal }),
  )
}

function listedFile({ Key, Size, LastModified }: ListedObject): ListedFile {
  const modifiedMs = LastModified?.getTime() ?? Number.NaN
  if (Key === undefined || Size === undefined || !Number.isFinite(modifiedMs)) {
    throw garbled('a listing without keys, sizes or dates')
  }
  return { key: Key, sizeBytes: Size, modifiedMs }
}

function unreliable(what: string): S3Failure {
  return new S3Failure(`the server lists ${what}`, { code: 'BadListing', isRetriable: false })
}
