import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { inOurWords, StorageError, withOurErrors } from '../../src/storage/storage-error.ts'

const systemError = Object.assign(new Error('EIO: i/o error, read'), { errno: -5, syscall: 'read' })

test('a system error becomes ours, with the system error as its cause', async () => {
  const error = inOurWords('reading a.log', systemError)
  expect(error).toBeInstanceOf(StorageError)
  expect(error).toMatchObject({ code: 'VARVE_STORAGE', cause: systemError, kafkaErrorCode: 56 })
  const run = withOurErrors('reading a.log', () => Promise.reject(systemError))
  await expect(run).rejects.toThrow('reading a.log failed: EIO: i/o error, read')
})

test('an error of ours, and a mistake, stay what they are', async () => {
  for (const error of [new InvalidArgumentError('a', 1, 'b'), new TypeError('c'), 'd']) {
    expect(inOurWords('reading', error)).toBe(error)
  }
  expect(await withOurErrors('reading', async () => 5)).toBe(5)
})
