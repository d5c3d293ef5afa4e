import { VarveError } from '@varve/record'

/** What is used of the client library. */
export type S3Sdk = typeof import('@aws-sdk/client-s3')

/** A repository is in a bucket, and the client library for buckets is not installed. */
export class S3ClientMissingError extends VarveError {
  readonly code = 'VARVE_S3_CLIENT_MISSING'

  constructor(cause: unknown) {
    super('buckets need the package @aws-sdk/client-s3, which cannot be loaded', {
      cause,
      hint: 'install it beside Varve: npm install @aws-sdk/client-s3',
    })
  }
}

/**
 * Loads the client library, which only those who keep backups in buckets install. Rejects with
 * S3ClientMissingError.
 */
export async function loadS3Sdk(
  load: () => Promise<S3Sdk> = () => import('@aws-sdk/client-s3'),
): Promise<S3Sdk> {
  try {
    return await load()
  } catch (error) {
    throw new S3ClientMissingError(error)
  }
}

/** Switches off what the library says about the versions of Node.js that its successors need. */
const versionWarning = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'

/** Runs what makes a client, which warns on every start otherwise. */
export function withoutVersionWarning<Result>(run: () => Result): Result {
  const before = process.env[versionWarning]
  process.env[versionWarning] = 'true'
  try {
    return run()
  } finally {
    if (before === undefined) delete process.env[versionWarning]
    else process.env[versionWarning] = before
  }
}
