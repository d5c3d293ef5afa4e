import type { S3Bucket } from './s3-bucket.ts'
import { md5Of, S3Etags } from './s3-etags.ts'
import { S3Failure } from './s3-failure.ts'

/** Reads files, and makes sure that what came is what the server has. */
export class S3Reading {
  readonly etags: S3Etags = new S3Etags()
  readonly #bucket: S3Bucket

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket
  }

  /**
   * Null when there is no such file. Bytes whose MD5 is not the file's are read again; when the
   * same come once more under the same ETag, they are what is stored, rotten or not, and whoever
   * reads them checks them as everything from a repository. In between there may have been others:
   * a file may be replaced while it is read. Rejects with S3Failure.
   */
  read(key: string, signal: AbortSignal | null): Promise<Buffer | null> {
    /** MD5s of what came, by ETag. */
    const before = new Map<string, Buffer>()
    return this.#bucket.retrying(signal, async () => {
      const read = await this.#bucket.getOnce(key, signal)
      if (read === null) return null
      const md5 = md5Of(read.bytes)
      if (this.etags.agrees(read.file, md5) !== false) return read.bytes
      if (before.get(read.file.etag)?.equals(md5) === true) {
        this.etags.meansNothing()
        return read.bytes
      }
      before.set(read.file.etag, md5)
      const details = { code: 'BadDigest', isRetriable: true }
      throw new S3Failure('what came is not what the server says it sent', details)
    })
  }

  /** Whether a file holds these bytes. */
  async holds(key: string, bytes: Uint8Array, signal: AbortSignal | null): Promise<boolean> {
    return (await this.read(key, signal))?.equals(bytes) === true
  }
}
