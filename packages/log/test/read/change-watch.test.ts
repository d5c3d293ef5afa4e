import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { ChangeWatch } from '../../src/read/change-watch.ts'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import type { FileSystem } from '../../src/storage/file-system.ts'
import { nodeFileSystem } from '../../src/storage/node-file-system.ts'
import { ManualClock, SimulatedFileSystem } from '../../src/testing/index.ts'
import { createLog, type Place, realPlace, removePlace } from '../log-fixture.ts'

/** A file system whose changes are told of by hand. */
class WatchedFileSystem {
  readonly clock = new ManualClock()
  opened = 0
  closed = 0
  canWatch = true
  tell: () => void = () => undefined
  readonly fs: FileSystem = Object.assign(new SimulatedFileSystem(), {
    watch: (_path: string, onChange: () => void) => {
      if (!this.canWatch) return null
      this.opened++
      this.tell = onChange
      return { close: () => void this.closed++ }
    },
  })

  readonly watch = new ChangeWatch(this.fs, this.clock, '/progress')
}

/** Whether a promise is settled when all callbacks that are due have run. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise(setImmediate).then(() => false)])
}

describe('waiting for a change', () => {
  test('ends when the system tells of it, for everybody who waits', async () => {
    const watching = new WatchedFileSystem()
    const seen = watching.watch.begin()
    const [one, two] = [
      watching.watch.wait(seen, 50, null),
      watching.watch.wait(seen, 50, null),
    ] as const
    expect(await isSettled(one)).toBe(false)
    watching.tell()
    expect([await isSettled(one), await isSettled(two)]).toEqual([true, true])
    expect(watching.opened).toBe(1)
  })

  test('does not begin when something changed since the file was looked at', async () => {
    const watching = new WatchedFileSystem()
    const seen = watching.watch.begin()
    watching.tell()
    expect(await isSettled(watching.watch.wait(seen, 50, null))).toBe(true)
    expect(await isSettled(watching.watch.wait(watching.watch.begin(), 50, null))).toBe(false)
  })

  test('ends after a while without being told, and at the signal', async () => {
    const watching = new WatchedFileSystem()
    watching.canWatch = false
    const seen = watching.watch.begin()
    const poll = watching.watch.wait(seen, 50, null)
    const aborted = new AbortController()
    const ended = watching.watch.wait(seen, 1e6, aborted.signal)
    await watching.clock.advance(49)
    expect(await isSettled(poll)).toBe(false)
    await watching.clock.advance(1)
    expect([await isSettled(poll), await isSettled(ended)]).toEqual([true, false])
    aborted.abort()
    expect(await isSettled(ended)).toBe(true)
  })

  test('tries again for a watch that could not be had, a second later', async () => {
    const watching = new WatchedFileSystem()
    watching.canWatch = false
    watching.watch.begin()
    watching.canWatch = true
    watching.watch.begin()
    expect(watching.opened).toBe(0)
    await watching.clock.advance(1000)
    watching.watch.begin()
    watching.watch.begin()
    expect(watching.opened).toBe(1)
  })

  test('gives up a watch that does not tell, and one that nobody listens to', async () => {
    const watching = new WatchedFileSystem()
    for (let round = 0; round < 3; round++) watching.watch.found(watching.watch.begin())
    expect([watching.opened, watching.closed]).toEqual([1, 1])
    await watching.clock.advance(1000)
    watching.watch.begin()
    for (let change = 0; change < 200; change++) watching.tell()
    expect([watching.opened, watching.closed]).toEqual([2, 2])
    watching.watch.begin()
    expect(watching.opened).toBe(3)
    watching.watch.close()
    expect(watching.closed).toBe(3)
  })
})

describe('a follower beside the writer', () => {
  let place: Place

  afterEach(() => removePlace(place))

  const watchedBy: ReadonlyArray<readonly [string, FileSystem['watch'], number]> = [
    ['the system tells of changes', nodeFileSystem.watch?.bind(nodeFileSystem), 60_000],
    ['there are no watches left', () => null, 5],
    ['the system tells of nothing', () => ({ close: () => undefined }), 5],
  ]

  test.each(watchedBy)('sees every record where %s', async (_name, watch, pollMs) => {
    place = realPlace()
    const { directory, log } = await createLog(place)
    await log.append({ value: 'first' })
    const fs: FileSystem = { ...nodeFileSystem, ...(watch !== undefined && { watch }) }
    const beside = await openLogReadOnly(log.directory, { fs, pollMs, clock: systemClock })
    const seen: number[] = []
    const following = (async () => {
      for await (const batch of beside.reader({ from: 0, follow: true })) {
        seen.push(batch.baseOffset)
        if (batch.baseOffset === 20) return
      }
    })()
    for (let offset = 1; offset <= 20; offset++) {
      await new Promise(setImmediate)
      await log.append({ value: 'more' }, { acks: 'written' })
    }
    await following
    expect(seen.at(-1)).toBe(20)
    await beside.close()
    await directory.close()
  })
})

test('nothing is watched that is not there', () => {
  expect(nodeFileSystem.watch?.('/nowhere/progress', () => undefined)).toBeNull()
})
