import type { Log } from '@varve/log'
import { expect, test } from 'vitest'
import { CleaningFailures } from '../src/cleaning-failures.ts'

function logOf(name: string): Log {
  return { name } as Log
}

test('the pause doubles up to its limit, and begins anew after a success', () => {
  const failures = new CleaningFailures(100, 300)
  const log = logOf('t-0')
  const pauses: number[] = []
  for (let attempt = 0; attempt < 4; attempt++) {
    failures.failed(log, 'compaction', new Error('broken'), 1000)
    pauses.push((failures.all.get('t-0')?.retryAtMs ?? 0) - 1000)
  }
  expect(pauses).toEqual([100, 200, 300, 300])
  failures.succeeded(log, 'retention')
  expect(failures.isSetAside(log, 1299)).toBe(true)
  expect(failures.isSetAside(log, 1300)).toBe(false)
  failures.succeeded(log, 'compaction')
  expect(failures.all.size).toBe(0)
})

test('a log that was opened again is not set aside for what it failed with before', () => {
  const failures = new CleaningFailures(100, 100)
  failures.failed(logOf('t-0'), 'retention', 'no error at all', 0)
  expect(failures.all.get('t-0')?.error.message).toBe('no error at all')
  expect(failures.isSetAside(logOf('t-0'), 0)).toBe(false)
  failures.keepOnly(new Map())
  expect(failures.all.size).toBe(0)
})
