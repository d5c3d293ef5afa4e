import { readdirSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import type { Log } from '../../src/log.ts'
import { nodeFileSystem } from '../../src/storage/node-file-system.ts'
import { OpenFiles } from '../../src/storage/open-files.ts'
import { SimulatedFileSystem } from '../../src/testing/index.ts'
import {
  appendValues,
  createLog,
  namesIn,
  openDirectory,
  type Place,
  places,
  range,
  readAll,
  realPlace,
  removePlace,
} from '../log-fixture.ts'

function filesOf(names: string): { readonly fs: SimulatedFileSystem } {
  const fs = new SimulatedFileSystem()
  for (const name of names) fs.writeBytes(`/d/${name}`, Buffer.from(name))
  return { fs }
}

/** Names of the files that are open in the simulation. */
function openIn(fs: SimulatedFileSystem): string {
  return fs
    .openFiles()
    .map((path) => path.slice(3))
    .join('')
}

describe('open files', () => {
  test('are kept when they are given back, and shared by all borrowers', () => {
    const { fs } = filesOf('a')
    const files = new OpenFiles(fs, 4)
    const file = files.borrow('/d/a', 'read')
    expect(files.borrow('/d/a', 'read')).toBe(file)
    files.giveBack(file)
    files.giveBack(file)
    expect(openIn(fs)).toBe('a')
    expect(files.borrow('/d/a', 'read')).toBe(file)
    expect(files.borrow('/d/a', 'write')).not.toBe(file)
    expect(files.openCount).toBe(2)
  })

  test('make room for others, those first that were not used for longest', () => {
    const { fs } = filesOf('abcd')
    const files = new OpenFiles(fs, 3)
    const use = (name: string): void => {
      const file = files.borrow(`/d/${name}`, 'read')
      files.giveBack(file)
    }
    for (const name of 'abca') use(name)
    use('d')
    expect(openIn(fs)).toBe('acd')
  })

  test('are borrowed again without their path, unless they were closed or forgotten', () => {
    const { fs } = filesOf('ab')
    const files = new OpenFiles(fs, 1)
    const a = files.borrow('/d/a', 'write')
    files.giveBack(a)
    expect(files.borrowAgain(a)).toBe(true)
    files.borrow('/d/b', 'write')
    expect(openIn(fs)).toBe('ab')
    files.giveBack(a)
    expect(openIn(fs)).toBe('b')
    expect(files.borrowAgain(a)).toBe(false)
    const again = files.borrow('/d/a', 'write')
    files.forget('/d/a')
    expect(files.borrowAgain(again)).toBe(false)
    files.giveBack(again)
    expect(openIn(fs)).toBe('b')
  })

  test('closed to make room leave the handle of another mode to its borrower', () => {
    const { fs } = filesOf('ab')
    const files = new OpenFiles(fs, 2)
    const written = files.borrow('/d/a', 'write')
    files.giveBack(files.borrow('/d/a', 'read'))
    files.giveBack(files.borrow('/d/b', 'read'))
    expect(files.borrow('/d/a', 'write')).toBe(written)
  })

  test('are not closed while they are borrowed, however many there are', () => {
    const { fs } = filesOf('abcd')
    const files = new OpenFiles(fs, 2)
    const borrowed = [...'abcd'].map((name) => files.borrow(`/d/${name}`, 'read'))
    expect(openIn(fs)).toBe('abcd')
    for (const file of borrowed) files.giveBack(file)
    expect(files.openCount).toBeLessThanOrEqual(2)
  })

  test('under pressure are asked for, each borrower once until it has answered', () => {
    const { fs } = filesOf('abcde')
    const files = new OpenFiles(fs, 2)
    const asked: string[] = []
    const borrow = (name: string): ReturnType<OpenFiles['borrow']> =>
      files.borrow(`/d/${name}`, 'write', () => {
        asked.push(name)
        return new Promise(() => undefined)
      })
    const a = borrow('a')
    borrow('b')
    expect(asked).toEqual([])
    for (const name of 'cde') borrow(name)
    expect(asked).toEqual(['a', 'b', 'c'])
    files.giveBack(a)
    expect(openIn(fs)).not.toContain('a')
  })

  test('are waited for by thousands, each of whom has its turn', async () => {
    const files = new OpenFiles(filesOf('a').fs, 1)
    let answer = (): void => expect.fail('it was not asked for')
    const file = files.borrow('/d/a', 'write', () => {
      return new Promise((resolve) => {
        answer = resolve
      })
    })
    let served = 0
    const waiting = Array.from({ length: 3_000 }, async () => {
      await files.room()
      served++
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect(served).toBe(0)
    files.giveBack(file)
    answer()
    await Promise.all(waiting)
    expect(served).toBe(3_000)
  })

  test('are waited for one after the other where each answer makes room for one', async () => {
    const names = 'abcdefgh'
    const { fs } = filesOf(names)
    const files = new OpenFiles(fs, 4)
    const answers: Array<() => void> = []
    for (const name of names.slice(0, 4)) {
      const file = files.borrow(`/d/${name}`, 'write', () => {
        return new Promise((resolve) => {
          answers.push(() => {
            files.giveBack(file)
            resolve()
          })
        })
      })
    }
    const borrowed: string[] = []
    const waiting = Array.from(names.slice(4), async (name) => {
      await files.room()
      files.borrow(`/d/${name}`, 'write')
      borrowed.push(name)
    })
    for (let answered = 0; answered < 4; answered++) {
      await new Promise((resolve) => setImmediate(resolve))
      expect(borrowed.join('')).toBe('efgh'.slice(0, answered))
      answers[answered]?.()
    }
    await Promise.all(waiting)
    expect(files.openCount).toBe(4)
  })

  test('of a path that is forgotten stay with their borrowers and are then closed', () => {
    const { fs } = filesOf('ab')
    const files = new OpenFiles(fs, 4)
    const a = files.borrow('/d/a', 'read')
    const b = files.borrow('/d/b', 'read')
    files.giveBack(b)
    files.forget('/d/a')
    files.forget('/d/b')
    expect(openIn(fs)).toBe('a')
    fs.rename('/d/b', '/d/a')
    const other = files.borrow('/d/a', 'read')
    expect(other).not.toBe(a)
    files.giveBack(a)
    files.giveBack(other)
    expect(files.openCount).toBe(1)
    files.forgetDirectory('/d')
    expect(openIn(fs)).toBe('')
  })

  test('are all closed at the end, and what is given back later is no mistake', () => {
    const { fs } = filesOf('ab')
    const files = new OpenFiles(fs, 4)
    const a = files.borrow('/d/a', 'read')
    const b = files.borrow('/d/b', 'read')
    files.forget('/d/b')
    files.close()
    expect(openIn(fs)).toBe('')
    files.giveBack(a)
    files.giveBack(b)
  })
})

/** How many files this process has open; null where the system does not say. */
function descriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return null
  }
}

describe.each(places)('a hundred logs with twenty files on %s', (_name, makePlace) => {
  let place: Place

  afterEach(() => removePlace(place))

  test('are appended to and read with about twenty open', async () => {
    place = makePlace()
    const before = descriptors()
    const isReal = place.fs === nodeFileSystem
    let most = 0
    const look = (): void => {
      most = Math.max(most, isReal ? (descriptors() ?? 0) - (before ?? 0) : count())
    }
    const options = { openFilesMax: 20 }
    const directory = await openDirectory(place, { acks: 'written' }, options)
    const count = (): number => directory.openFileCount
    const logs: Log[] = []
    for (const partition of range(0, 100)) logs.push(await directory.createLog('t', partition))
    for (let round = 0; round < 3; round++) {
      for (const log of logs) {
        await log.append({ value: `${round}`, timestamp: 1 })
        look()
      }
      for (const log of logs) {
        expect((await readAll(log)).map(({ value }) => value)).toEqual(
          range(0, round + 1).map(String),
        )
        look()
      }
    }
    expect(most).toBeLessThan(40)
    // All at once: more are borrowed for a moment, and given back.
    await Promise.all(logs.map((log) => log.append({ value: 'all', timestamp: 1 })))
    await expect.poll(() => directory.openFileCount).toBeLessThanOrEqual(20)
    await Promise.all(
      logs.map((log) => log.append({ value: 'all', timestamp: 1 }, { acks: 'flushed' })),
    )
    await expect.poll(() => directory.openFileCount).toBeLessThanOrEqual(20)
    await directory.close()
    expect(directory.openFileCount).toBe(0)
    if (isReal) expect(descriptors()).toBeLessThanOrEqual((before ?? 0) + 2)
  })
})

test('a thousand logs open cleanly in well under a second', async () => {
  const place = realPlace()
  const { directory, log } = await createLog(place)
  await appendValues(log, 10, 5)
  await directory.close()
  // The same files under other names, which opening does not change: quick to make and to remove.
  for (const partition of range(1, 1000)) {
    const path = `${place.path}/t-${partition}`
    place.fs.makeDirectory(path)
    for (const name of namesIn(place)) place.fs.link(`${place.path}/t-0/${name}`, `${path}/${name}`)
  }
  const cpu = process.cpuUsage()
  const started = performance.now()
  const again = await openDirectory(place)
  const elapsedMs = performance.now() - started
  const { user, system } = process.cpuUsage(cpu)
  const cpuMs = Math.round((user + system) / 1000)
  process.stdout.write(`1,000 logs opened in ${Math.round(elapsedMs)} ms, ${cpuMs} ms of CPU\n`)
  expect(again.logs.size).toBe(1000)
  for (const opened of again.logs.values()) expect(opened.recoveryReport.scannedBytes).toBe(0)
  // Of the processor's time, which other programs stretch less; here, from source, it is slower.
  expect(cpuMs).toBeLessThan(3000)
  await again.close()
  removePlace(place)
})

test('whether a slow read has waited is what the file system says', () => {
  for (const [counted, isAllowed] of [
    [{ waits: () => 3 }, true],
    [{ waits: () => null }, false],
    [{}, false],
  ] as const) {
    const { loopReads } = new OpenFiles(Object.assign(filesOf('a').fs, counted), 1)
    loopReads.begin(2 ** 20, 1000)
    loopReads.end(1010)
    expect(loopReads.allows(2 ** 20, 1010)).toBe(isAllowed)
  }
})
