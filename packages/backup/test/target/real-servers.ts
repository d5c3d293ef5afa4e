import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { describe } from 'vitest'
import { withoutVersionWarning } from '../../src/target/s3-sdk.ts'
import { S3Target, type S3TargetOptions } from '../../src/target/s3-target.ts'

/** A server that tests are run against, as the environment names it. */
interface ServerAccess {
  readonly name: string
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** Declares tests for each real server; where one can't be had they are skipped, saying why. */
export function describeWithS3Servers(body: (server: RealServer) => void): void {
  const servers = JSON.parse(process.env['VARVE_S3_SERVERS'] ?? '[]') as readonly (
    | ServerAccess
    | { readonly name: string; readonly reason: string }
  )[]
  for (const server of servers) {
    if ('reason' in server) {
      describe.skip(`${server.name} (skipped: ${server.reason})`, () =>
        body(new RealServer(absent)))
    } else {
      describe(server.name, () => body(new RealServer(server)))
    }
  }
}

/** Skipped tests are declared, so that they are counted, but not run. */
const absent: ServerAccess = { name: '', endpoint: '', accessKeyId: '', secretAccessKey: '' }

/** A bucket on a real server. */
export class RealServer {
  readonly name: string
  readonly #access: ServerAccess
  #bucket: Promise<string> | null = null

  constructor(access: ServerAccess) {
    this.#access = access
    this.name = access.name
  }

  /** A client, for what a target does not do. */
  client(): S3Client {
    const { endpoint, accessKeyId, secretAccessKey } = this.#access
    return withoutVersionWarning(
      () =>
        new S3Client({
          endpoint,
          region: 'us-east-1',
          forcePathStyle: true,
          credentials: { accessKeyId, secretAccessKey },
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        }),
    )
  }

  /** One for all tests of a file. */
  bucket(): Promise<string> {
    this.#bucket ??= this.#makeBucket()
    return this.#bucket
  }

  /** An address where nothing is yet. */
  async newAddress(): Promise<string> {
    const prefix = randomBytes(6).toString('hex')
    return `s3://${await this.bucket()}/${prefix}?endpoint=${this.#access.endpoint}`
  }

  open(address: string, options: S3TargetOptions = {}): Promise<S3Target> {
    const { accessKeyId, secretAccessKey } = this.#access
    return S3Target.open(address, { credentials: { accessKeyId, secretAccessKey }, ...options })
  }

  async #makeBucket(): Promise<string> {
    const name = `varve-${randomBytes(6).toString('hex')}`
    const client = this.client()
    await client.send(new CreateBucketCommand({ Bucket: name }))
    client.destroy()
    return name
  }
}
