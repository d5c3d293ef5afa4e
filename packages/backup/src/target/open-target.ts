import { fileURLToPath } from 'node:url'
import { InvalidArgumentError } from '@varve/record'
import { DirectoryTarget, type DirectoryTargetOptions } from './directory-target.ts'
import { S3Target, type S3TargetOptions } from './s3-target.ts'
import type { Target } from './target.ts'

export interface OpenTargetOptions {
  /** For directories. */
  readonly directory?: DirectoryTargetOptions
  /** For buckets. */
  readonly s3?: S3TargetOptions
}

/**
 * Where a repository is, by the address that people give: a path of a directory or `file:///path`,
 * or `s3://bucket/prefix` with the settings that S3Target.open names. Nothing is read or made yet.
 *
 * Rejects with InvalidArgumentError and S3ClientMissingError.
 */
export async function openTarget(
  address: string,
  options: OpenTargetOptions = {},
): Promise<Target> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(address)?.[1]?.toLowerCase()
  if (scheme === 's3') return S3Target.open(address, options.s3)
  if (scheme !== undefined && scheme !== 'file') {
    throw new InvalidArgumentError('address', `${scheme}://…`, 'must be a path, file:// or s3://')
  }
  if (address === '') throw new InvalidArgumentError('address', address, 'is empty')
  const path = scheme === 'file' ? fileURLToPath(address) : address
  return new DirectoryTarget(path, options.directory)
}
