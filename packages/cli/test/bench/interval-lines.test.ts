import { consumerIntervalLine, type IntervalFigures, producerIntervalLine } from '@varve/bench'
import { expect, test } from 'vitest'
import { IntervalLines } from '../../src/bench/interval-lines.ts'
import { captureIo } from '../captured-io.ts'

test('prints a line once so many seconds have gathered, of all that was in them', () => {
  const io = captureIo()
  const lines = new IntervalLines(io, 3, producerIntervalLine)
  const second: IntervalFigures = {
    ...{ startSeconds: 0, seconds: 1, records: 100, bytes: 1000, meanMs: 1 },
    ...{ p50Ms: 1, p99Ms: 1, maxMs: 2 },
  }
  for (let at = 0; at < 7; at++) lines.add({ ...second, startSeconds: at })
  const printed = io.stderr.text.trimEnd().split('\n')
  expect(printed).toHaveLength(2)
  expect(printed[0]).toMatch(/^300 records sent, 100\.0 records\/sec /)
  expect(io.stdout.text).toBe('')
  const reading = new IntervalLines(io, 1, consumerIntervalLine)
  reading.add(second)
  expect(io.stderr.text).toMatch(/\n100 records read, 100\.0 records\/sec \(0\.00 MB\/sec\)\.\n$/)
})
