import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { run } from '../captured-io.ts'

test('a seed has to be a number', async () => {
  using temporary = makeTemporaryDirectory()
  const { code, err } = await run('bench', 'produce', '--data', temporary.path, '--seed', 'abc')
  expect(code).toBe(2)
  expect(err).toContain('--seed')
})

test('consumers beyond the partitions have nothing to read, and the run counts each record once', async () => {
  using temporary = makeTemporaryDirectory()
  const shape = ['--partitions', '2', '--consumers', '5', '--records', '500', '--warmup', '0']
  const result = await run('bench', 'consume', '--data', temporary.path, ...shape, '--json')
  expect(result).toMatchObject({ code: 0 })
  expect(result.stdout.documents[0].measurements[0].records).toBe(500)
})

test('an option that is given twice counts as it was given last', async () => {
  using temporary = makeTemporaryDirectory()
  const twice = [
    '--compression',
    'gzip',
    '--compression',
    'lz4',
    '--keys',
    'zipf',
    '--keys',
    'none',
  ]
  const shape = ['--payload', 'text', '--payload', 'json', '--records', '5', '--warmup', '0']
  const result = await run(
    'bench',
    'produce',
    '--data',
    temporary.path,
    ...twice,
    ...shape,
    '--json',
  )
  expect(result).toMatchObject({ code: 0 })
  const [{ conditions }] = result.stdout.documents
  expect(conditions).toMatchObject({ compression: 'lz4', keys: 'none' })
  expect(conditions.payload).toContain('JSON')
})
