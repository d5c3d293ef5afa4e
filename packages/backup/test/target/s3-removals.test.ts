import { expect, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { failure, S3Double, slowDown, xml } from './s3-double.ts'

const keys = Array.from({ length: 20 }, (_, index) => `file-${index}`)

async function filled(): Promise<S3Double> {
  const double = await S3Double.start()
  for (const key of keys) double.store(`repo/${key}`, Buffer.from(key))
  return double
}

test('what is removed at once goes into one request', async () => {
  const double = await filled()
  const target = await double.target()
  await Promise.all([...keys, ...keys].map((key) => target.remove(key)))
  expect(double.objects.size).toBe(0)
  expect(double.count('delete-many')).toBe(1)
  expect(double.count('delete')).toBe(0)
})

test('a server that removes only one at a time is asked that way, from then on', async () => {
  const double = await filled()
  double.knowsBatchDelete = false
  const target = await double.target()
  await Promise.all(keys.slice(0, 10).map((key) => target.remove(key)))
  await Promise.all(keys.slice(10).map((key) => target.remove(key)))
  expect(double.objects.size).toBe(0)
  expect(double.count('delete-many')).toBe(1)
  expect(double.count('delete')).toBe(20)
})

test('what the server passes over or may not remove is told to who asked for it', async () => {
  const double = await filled()
  const target = await double.target()
  double.fault = ({ operation, key }) => {
    // Says nothing of most, and that one is refused.
    const error = '<Error><Key>repo/file-3</Key><Code>AccessDenied</Code></Error>'
    if (operation === 'delete-many') {
      return { kind: 'answer', isDone: false, answer: xml('DeleteResult', error) }
    }
    const isRefused = operation === 'delete' && key === 'repo/file-3'
    return isRefused
      ? { kind: 'answer', isDone: false, answer: failure(403, 'AccessDenied') }
      : null
  }
  const ends = await Promise.allSettled(keys.map((key) => target.remove(key)))
  for (const [index, end] of ends.entries()) {
    expect(end.status).toBe(index === 3 ? 'rejected' : 'fulfilled')
    if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(TargetError)
  }
  expect([...double.objects.keys()]).toEqual(['repo/file-3'])
})

test('a server that has enough fails the batch once, not each of its files', async () => {
  const double = await filled()
  const target = await double.target({ attempts: 3 })
  double.fault = () => ({ kind: 'answer', isDone: false, answer: slowDown })
  const ends = await Promise.allSettled(keys.map((key) => target.remove(key)))
  expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
  expect(double.requests.length).toBe(3)
  double.fault = () => null
  await Promise.all(keys.map((key) => target.remove(key)))
  expect(double.objects.size).toBe(0)
})
