import { createHash } from 'node:crypto'
import type { S3File } from './s3-bucket.ts'

const md5Pattern = /^[0-9a-f]{32}$/

export function md5Of(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest()
}

/**
 * What the ETags of a bucket are worth. Most servers make them MD5s of files that came in one
 * request; encryption by the server and other servers make them something else, which looks alike.
 */
export class S3Etags {
  #areMd5: boolean | null = null

  /** Null: says nothing about the content. */
  agrees({ etag, isEncrypted }: S3File, md5: Buffer): boolean | null {
    if (isEncrypted || this.#areMd5 === false || !md5Pattern.test(etag)) return null
    const agrees = etag === md5.toString('hex')
    if (agrees) this.#areMd5 = true
    return agrees
  }

  /** The content is known, and the ETag did not agree: unless others did, none means anything. */
  meansNothing(): void {
    this.#areMd5 ??= false
  }
}
