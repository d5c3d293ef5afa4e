import { expect, test } from 'vitest'
import { fileKindOf } from '../../src/dump/file-kinds.ts'

test.each([
  ['00000000000000000042.log', 'log', 42],
  ['00000000000000000042.log.deleted', 'log', 42],
  ['00000000000000000042.timeindex.cleaned', 'timeindex', 42],
  ['00000000000000000042.log.4096.broken', 'log', 42],
  ['00000000000000000042.log.broken', 'log', 42],
  ['99999999999999999999.index', 'index', 0],
  ['copied.txnindex', 'txnindex', 0],
  ['active-00000000000000000042.digest', 'digest', 0],
  ['leader-epoch-checkpoint', 'leaderEpochs', 0],
  ['log-start-offset-checkpoint', 'offsets', 0],
])('%s is of kind %s with base offset %d', (name, kind, baseOffset) => {
  expect(fileKindOf(name)).toEqual({ kind, baseOffset })
})

test.each(['notes.txt', 'log', '00000000000000000042.log.gz', ''])('%j is nothing', (name) => {
  expect(fileKindOf(name)).toBeNull()
})
