import { expect, onTestFinished, test } from 'vitest'
import { LogFlusher } from '../../src/append/log-flusher.ts'
import { LogState } from '../../src/append/log-state.ts'
import { SealJobs } from '../../src/append/seal-job.ts'
import { type LogOptions, resolveLogOptions } from '../../src/base/log-options.ts'
import { OwnCheckpoints } from '../../src/format/own-checkpoints.ts'
import { loadLog } from '../../src/recovery/log-loader.ts'
import { OpenFiles } from '../../src/storage/open-files.ts'
import { ManualClock, SimulatedFileSystem } from '../../src/testing/index.ts'

const directory = '/mail-0'

/** Tells when the names in a directory were made durable. */
class WatchedFileSystem extends SimulatedFileSystem {
  syncs = 0

  override async syncDirectory(path: string): Promise<void> {
    await super.syncDirectory(path)
    this.syncs++
  }
}

async function house(log: LogOptions = {}) {
  const fs = new WatchedFileSystem()
  fs.makeDirectory(directory)
  const files = new OpenFiles(fs, 1)
  onTestFinished(() => files.close())
  const clock = new ManualClock()
  const options = resolveLogOptions(log)
  const checkpoints = new OwnCheckpoints(fs, directory)
  const context = { name: 'mail-0', directory, fs, files, clock, random: () => 0, options }
  const { loaded } = await loadLog({ ...context, checkpoints }, false)
  const state = new LogState(loaded)
  const seals = new SealJobs(state, (error) => expect.fail(String(error)))
  let asked = 0
  const flusher = new LogFlusher(state, seals, async () => {
    asked++
  })
  /** What the writer does with a group of one byte. */
  const write = () => {
    flusher.file().writeSync(Buffer.alloc(1), state.offsets.logEndOffset)
    state.offsets.placed(state.offsets.logEndOffset + 1)
    state.offsets.written(state.offsets.logEndOffset)
  }
  return { fs, files, clock, state, flusher, write, asked: () => asked }
}

test.each(['pool', 'loop'] as const)(
  'on the %s: a flush covers what was written',
  async (where) => {
    const { state, flusher, write, files } = await house({ flushOn: where })
    write()
    const file = flusher.file()
    const flushed = flusher.flush()
    await flushed
    expect(state.offsets.flushedOffset).toBe(1)
    expect(state.recoveryPoint).toBe(1)
    // Given back: whoever needs its place has it, and it is borrowed again where it is still open.
    expect(flusher.takeFile()).toBeNull()
    write()
    expect(flusher.file()).toBe(file)
    await flusher.flush()
    expect(() => files.borrow(`${directory}/absent`, 'read')).toThrow('ENOENT')
    expect(files.borrowAgain(file)).toBe(false)
    write()
    expect(flusher.file()).not.toBe(file)
  },
)

test('a flush waits for the names of files that were made before it', async () => {
  const { fs, flusher } = await house({ flushOn: 'loop' })
  await flusher.flush()
  const { syncs } = fs
  flusher.namesChanged()
  expect(fs.syncs).toBe(syncs)
  await flusher.flush()
  expect(fs.syncs).toBe(syncs + 1)
  await flusher.flush()
  expect(fs.syncs).toBe(syncs + 1)
})

test('it is asked to flush when the oldest unflushed record is old enough, and only then', async () => {
  const { clock, flusher, write, asked } = await house({ flushMs: 100 })
  flusher.startTimer()
  clock.advance(1000)
  expect(asked()).toBe(0)
  write()
  flusher.startTimer()
  clock.advance(99)
  write()
  flusher.startTimer()
  expect(asked()).toBe(0)
  clock.advance(1)
  expect(asked()).toBe(1)
  flusher.startTimer()
  await flusher.flush()
  clock.advance(1000)
  expect(asked()).toBe(1)
})

test('a file that is kept is asked for when another needs its place', async () => {
  const { flusher, write, files, asked } = await house()
  write()
  expect(flusher.needsRoom).toBe(false)
  expect(() => files.borrow(`${directory}/absent`, 'read')).toThrow('ENOENT')
  expect(asked()).toBe(1)
  await flusher.flush()
  flusher.giveFileBack()
})
