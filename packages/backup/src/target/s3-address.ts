import { InvalidArgumentError } from '@varve/record'
import { isTargetKey } from './target.ts'

/** Where in which bucket of which server a repository is. */
export interface S3Address {
  readonly bucket: string
  /** What the keys of the repository begin with: empty, or a path that ends with `/`. */
  readonly prefix: string
  /** Null: Amazon's, of the region. */
  readonly endpoint: string | null
  /** Null: as the environment or the profile says. */
  readonly region: string | null
  /** Whether the bucket is named in the path of requests and not in their host. */
  readonly usesPathStyle: boolean
  /** Whether the server decides who is first to write a key; null: it is to be found out. */
  readonly createOnly: boolean | null
}

const parameters: ReadonlySet<string> = new Set(['endpoint', 'region', 'path-style', 'create-only'])
const bucketPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/

/**
 * Reads `s3://bucket/prefix?endpoint=https://host:port&region=name&path-style=yes&create-only=no`,
 * of which all but the bucket may be left out. Path style goes with an endpoint by default, and
 * with bucket names that no certificate covers.
 *
 * Throws InvalidArgumentError. What is wrong is not repeated: secrets end up in such places.
 */
export function parseS3Address(address: string): S3Address {
  if (!URL.canParse(address)) refuse('is not s3://bucket/prefix')
  const url = new URL(address)
  if (url.protocol !== 's3:') refuse('is not s3://bucket/prefix')
  if (url.username !== '' || url.password !== '' || address.includes('@')) {
    refuse('must not hold credentials: they come from the environment or a profile')
  }
  const bucket = url.hostname
  if (!bucketPattern.test(bucket) || url.port !== '') refuse('names no bucket')
  for (const name of url.searchParams.keys()) {
    if (!parameters.has(name)) refuse(`may have ${[...parameters].join(', ')} only`)
  }
  const path = url.pathname.replace(/^\/+|\/+$/g, '')
  if (path !== '' && !isTargetKey(path)) refuse('has a prefix that is not a plain path')
  const endpoint = endpointOf(url.searchParams.get('endpoint'))
  return {
    bucket,
    prefix: path === '' ? '' : `${path}/`,
    endpoint,
    region: url.searchParams.get('region') ?? (endpoint === null ? null : 'us-east-1'),
    usesPathStyle:
      yesOrNo(url.searchParams.get('path-style')) ?? (endpoint !== null || bucket.includes('.')),
    createOnly: yesOrNo(url.searchParams.get('create-only')),
  }
}

function endpointOf(text: string | null): string | null {
  if (text === null) return null
  if (!URL.canParse(text)) refuse('has an endpoint that is no address')
  const { protocol, pathname, origin } = new URL(text)
  if (!(protocol === 'https:' || protocol === 'http:')) refuse('has an endpoint without http(s)://')
  return `${origin}${pathname.replace(/\/+$/, '')}`
}

function yesOrNo(text: string | null): boolean | null {
  if (text === null) return null
  if (text !== 'yes' && text !== 'no') refuse('has a setting that is neither yes nor no')
  return text === 'yes'
}

function refuse(reason: string): never {
  throw new InvalidArgumentError('address', 's3://…', reason)
}

/** For people and messages. */
export function describeS3Address({ bucket, prefix, endpoint }: S3Address): string {
  const place = `s3://${bucket}/${prefix}`.replace(/\/$/, '')
  return endpoint === null ? place : `${place} at ${endpoint}`
}
