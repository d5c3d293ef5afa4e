import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { type Fault, S3Double, xml } from './s3-double.ts'

const bytes = randomBytes(10_000)

test('listings that leave out, repeat or never end are refused', async () => {
  const double = await S3Double.start()
  const target = await double.target({ attempts: 2 })
  for (const key of ['a', 'b', 'c']) await target.put(key, bytes)
  const date = '<LastModified>2026-01-01T00:00:00Z</LastModified>'
  const entry = (key: string): string =>
    `<Contents><Key>${key}</Key><Size>1</Size>${date}</Contents>`
  const more = '<IsTruncated>true</IsTruncated>'
  const token = `${more}<NextContinuationToken>same</NextContinuationToken>`
  const pages = [
    entry('repo/b') + entry('repo/a'),
    entry('repo/a') + entry('repo/a'),
    entry('other/a'),
    `<Contents><Key>repo/a</Key>${date}</Contents>`,
    entry('repo/a') + token,
    token,
    more,
  ]
  for (const page of pages) {
    const answer = xml('ListBucketResult', page)
    double.fault = ({ operation }) =>
      operation === 'list' ? { kind: 'answer', isDone: false, answer } : null
    const list = async (): Promise<void> => {
      for await (const _file of target.list(''));
    }
    await expect(list(), page).rejects.toThrow(TargetError)
  }
})

test('a listing that goes on without a token is gone on with by its last key', async () => {
  const double = await S3Double.start()
  double.pageKeys = 2
  const target = await double.target()
  for (const key of ['a', 'b', 'c', 'd', 'e']) await target.put(key, bytes)
  const change: Fault = {
    kind: 'change',
    change: (answer) => ({
      ...answer,
      body: String(answer.body).replace(/<NextContinuationToken>.*<\/NextContinuationToken>/, ''),
    }),
  }
  double.fault = ({ operation }) => (operation === 'list' ? change : null)
  const keys: string[] = []
  for await (const { key } of target.list('')) keys.push(key)
  expect(keys).toEqual(['a', 'b', 'c', 'd', 'e'])
})
