import { readdirSync } from 'node:fs'
import { BenchDiskFullError, producerIntervalLine } from '@varve/bench'
import { nodeFileSystem } from '@varve/log'
import { ManualClock, makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { RunSupport } from '../../src/bench/run-support.ts'
import { InterruptedError } from '../../src/command-io.ts'
import { captureIo, run, runWith } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())
afterEach(() => vi.restoreAllMocks())

const data = temporary.path
const tiny = ['--data', data, '--record-size', '200']

/** A disk on which others write: there is room at first, and hardly any later. */
function fillDisk(): void {
  const free = vi.spyOn(nodeFileSystem, 'freeBytes').mockResolvedValue(1e6)
  free.mockResolvedValueOnce(1e12)
}

describe('a disk that fills up', () => {
  test('in the warm-up leaves no result, and an error of its own', async () => {
    fillDisk()
    const { code, err } = await run('bench', 'produce', ...tiny, '--warmup', '60')
    expect(code).toBe(3)
    expect(err).toContain('nearly full before anything was counted')
    expect(readdirSync(data)).toEqual([])
  })

  test('later ends the run with what there is', async () => {
    fillDisk()
    const argv = ['--warmup', '0', '--duration', '60']
    const { code, out } = await run('bench', 'produce', ...tiny, ...argv)
    expect(code).toBe(0)
    expect(out).toContain('ended early: the disk is nearly full')
    expect(readdirSync(data)).toEqual([])
  })

  test('while a topic is filled to be consumed is told as that', async () => {
    const free = vi.spyOn(nodeFileSystem, 'freeBytes').mockResolvedValue(1e6)
    free.mockResolvedValueOnce(1e15).mockResolvedValueOnce(1e12)
    const { code, err } = await run('bench', 'consume', ...tiny, '--records', '1000000000')
    expect(code).toBe(3)
    expect(err).toContain('nearly full')
    expect(readdirSync(data)).toEqual([])
  })
})

describe('a terminal that is closed', () => {
  test('ends a run as Ctrl-C does, and its scratch directory goes', async () => {
    let isReleased = false
    const onHangUp = (hangUp: () => void) => {
      const waiting = vi.waitUntil(() => readdirSync(data).length > 0, { interval: 10 })
      waiting.then(hangUp, hangUp)
      return () => {
        isReleased = true
      }
    }
    const argv = ['bench', 'produce', ...tiny, '--warmup', '60']
    const { code, err } = await runWith({ onHangUp }, ...argv)
    expect(code).toBe(3)
    expect(err).toContain('interrupted')
    expect(isReleased).toBe(true)
    expect(readdirSync(data)).toEqual([])
  })
})

describe('what a run has beside it', () => {
  test('ends with it: no timer is left', async () => {
    const clock = new ManualClock()
    const io = { ...captureIo(), clock }
    const support = new RunSupport(io, { interval: 5 }, data, producerIntervalLine)
    await vi.waitUntil(() => clock.pendingTimers === 1)
    support[Symbol.dispose]()
    expect(clock.pendingTimers).toBe(0)
  })

  test('says why there is nothing to report', async () => {
    const interrupted = new RunSupport(captureIo(), { interval: 5 }, null, producerIntervalLine)
    expect(interrupted.endedEarly()).toBeInstanceOf(InterruptedError)
    fillDisk()
    using full = new RunSupport(captureIo(), { interval: 5 }, data, producerIntervalLine)
    await vi.waitUntil(() => full.context.signal.aborted)
    expect(full.endedEarly()).toBeInstanceOf(BenchDiskFullError)
  })
})
