import { ManualClock } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { Progress } from '../src/progress.ts'
import { captureIo } from './captured-io.ts'

function progressOn(isTerminal: boolean) {
  const clock = new ManualClock()
  const io = { ...captureIo({ stderrIsTerminal: isTerminal }), clock }
  return { clock, io, progress: new Progress(io, { activity: 'reading', totalBytes: 4 * 2 ** 20 }) }
}

describe('progress', () => {
  test('on a terminal it is redrawn in place, with rate and time left, and goes away', () => {
    const { clock, io, progress } = progressOn(true)
    clock.advance(1000)
    progress.update(2 ** 20, '10 records')
    expect(io.stderr.text).toBe(
      '\rreading 1.0 MiB of 4.0 MiB (25 %), 1.0 MiB/s, 3.0 s left, 10 records',
    )
    progress.clear()
    expect(io.stderr.text).toMatch(/\r +\r$/)
  })

  test('work that is over in a moment shows nothing', () => {
    const { clock, io, progress } = progressOn(true)
    clock.advance(100)
    progress.update(2 ** 20)
    progress.clear()
    expect(io.stderr.text).toBe('')
  })

  test('elsewhere it is a plain line now and then', () => {
    const { clock, io, progress } = progressOn(false)
    for (let second = 1; second <= 25; second += 1) {
      clock.advance(1000)
      progress.update(second * 1000)
    }
    expect(io.stderr.text.split('\n')).toHaveLength(3)
    expect(io.stderr.text).not.toContain('\r')
  })
})
