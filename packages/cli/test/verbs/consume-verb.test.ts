import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()

beforeAll(async () => {
  const directory = await LogDirectory.open(temporary.path)
  const log = await directory.createLog('orders', 0)
  await log.append({ value: 'text', timestamp: 1 })
  await directory.close()
})
afterAll(() => temporary.remove())

test('--json is a format, whatever --format says', async () => {
  const arguments_ = ['consume', 'orders', '--data', temporary.path, '--format', 'value']
  expect((await run(...arguments_)).stdout.text).toBe('text\n')
  const { stdout } = await run(...arguments_, '--json')
  expect(stdout.documents).toEqual([{ offset: 0, timestamp: 1, key: null, value: 'text' }])
})
