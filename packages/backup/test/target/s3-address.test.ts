import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { DirectoryTarget } from '../../src/target/directory-target.ts'
import { openTarget } from '../../src/target/open-target.ts'
import { describeS3Address, parseS3Address } from '../../src/target/s3-address.ts'
import { loadS3Sdk, S3ClientMissingError } from '../../src/target/s3-sdk.ts'
import { S3Target } from '../../src/target/s3-target.ts'

test('an address names a bucket, and may say where in it, on what server, and how', () => {
  expect(parseS3Address('s3://bucket')).toEqual({
    bucket: 'bucket',
    prefix: '',
    endpoint: null,
    region: null,
    usesPathStyle: false,
    createOnly: null,
  })
  const address =
    's3://a.bucket/deep/down/?endpoint=http://127.0.0.1:7480/&region=eu-1&create-only=no'
  expect(parseS3Address(address)).toEqual({
    bucket: 'a.bucket',
    prefix: 'deep/down/',
    endpoint: 'http://127.0.0.1:7480',
    region: 'eu-1',
    usesPathStyle: true,
    createOnly: false,
  })
  const hosted = parseS3Address('s3://bucket/x?endpoint=https://s3.example.com&path-style=no')
  expect(hosted).toMatchObject({ usesPathStyle: false, region: 'us-east-1' })
  expect(describeS3Address(hosted)).toBe('s3://bucket/x at https://s3.example.com')
  expect(describeS3Address(parseS3Address('s3://bucket/'))).toBe('s3://bucket')
})

test.each([
  'bucket/path',
  's3:/bucket',
  's3://',
  's3://b',
  's3://bucket:80/',
  's3://key:secret@bucket/',
  's3://bucket/?endpoint=https://key:secret@host',
  's3://bucket/../x/%2e%2e/ä',
  's3://bucket/a b',
  's3://bucket/?endpoint=nonsense',
  's3://bucket/?endpoint=ftp://host',
  's3://bucket/?secret=secret',
  's3://bucket/?create-only=secret',
])('%s is refused, and nothing of it is repeated', (address) => {
  const refused = (): unknown => parseS3Address(address)
  expect(refused).toThrow(InvalidArgumentError)
  expect(refused).not.toThrow(/secret/)
})

test('targets are opened by the addresses that people give', async () => {
  expect(await openTarget('s3://bucket/x?endpoint=http://127.0.0.1:1')).toBeInstanceOf(S3Target)
  for (const path of ['/backups', 'backups', './s3', 'file:///backups']) {
    expect(await openTarget(path)).toBeInstanceOf(DirectoryTarget)
  }
  expect((await openTarget('file:///back%20ups')).name).toBe('/back ups')
  for (const address of ['', 'ftp://host/x', 'https://host/x']) {
    await expect(openTarget(address)).rejects.toThrow(InvalidArgumentError)
  }
  const address = 's3://bucket/x'
  for (const s3 of [{ partBytes: 1000 }, { attempts: 0 }, { requestTimeoutMs: Number.NaN }]) {
    await expect(openTarget(address, { s3 })).rejects.toThrow(InvalidArgumentError)
  }
})

test('without the client library a bucket is refused, and it is said what to install', async () => {
  const missing = loadS3Sdk(() => Promise.reject(new Error('Cannot find package')))
  const error = await missing.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(S3ClientMissingError)
  expect(error).toMatchObject({ code: 'VARVE_S3_CLIENT_MISSING' })
  expect(String((error as S3ClientMissingError).hint)).toContain('@aws-sdk/client-s3')
})
