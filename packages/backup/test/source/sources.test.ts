import { type FileSystem, type Log, SegmentPinnedError } from '@varve/log'
import { InvalidArgumentError, NativeModuleError, VarveError } from '@varve/record'
import { describe, expect, test } from 'vitest'
import { DirectorySource } from '../../src/source/directory-source.ts'
import { HeldFiles, workDirectoryOf } from '../../src/source/held-files.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { isFileProblem, withOurErrors } from '../../src/source/source-files.ts'
import type { BackupSource, SourceSnapshot } from '../../src/source/source-snapshot.ts'
import { appendRecords, compact, dataPath, Machine, sourceBytes } from '../backup-fixture.ts'

const work = '/.data.varve-backup'

/** A file system of which one call does something else. */
function withCall<Name extends keyof FileSystem>(
  fs: FileSystem,
  call: Name,
  instead: (...args: Parameters<NonNullable<FileSystem[Name]>>) => unknown,
): FileSystem {
  return new Proxy(fs, {
    get: (target, name) => {
      if (name === call) return instead
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A file system on which no file can have a second name. */
function withoutLinks(fs: FileSystem, code = 'EXDEV'): FileSystem {
  return withCall(fs, 'link', () => {
    throw Object.assign(new Error(code), { code, syscall: 'link' })
  })
}

function bytesIn(machine: Machine, snapshot: SourceSnapshot): readonly Buffer[] {
  const segments = snapshot.partitions.flatMap((partition) => partition.segments)
  return segments.map(({ path, sizeBytes }) => machine.fs.bytesOf(path).subarray(0, sizeBytes))
}

describe.each(['live', 'directory'] as const)('a source, %s', (kind) => {
  async function opened() {
    const machine = new Machine()
    const directory = await machine.openData()
    const log = await directory.createLog('t', 0)
    await appendRecords(log, 400)
    const sourceOn = (fs: FileSystem): BackupSource =>
      kind === 'live' ? new LiveSource(directory, { fs }) : new DirectorySource(dataPath, { fs })
    return { machine, directory, log, sourceOn, source: sourceOn(machine.fs) }
  }

  async function change(machine: Machine, log: Log): Promise<void> {
    await appendRecords(log, 300, 'later')
    await compact(machine, log, (offset) => offset % 5 === 0)
    await log.deleteSegmentsBefore(log.highWatermark)
  }

  test('stays as it was, whatever is appended, compacted and deleted', async () => {
    const { machine, directory, log, source } = await opened()
    const before = sourceBytes(machine, log)
    const snapshot = await source.snapshot()
    await change(machine, log)
    expect(bytesIn(machine, snapshot)).toEqual(before)
    expect(snapshot.partitions).toMatchObject([{ topic: 't', logStartOffset: 0, endOffset: 400 }])
    await snapshot.release()
    expect([...machine.fs.tree().keys()].filter((path) => path.startsWith(work))).toEqual([])
    await directory.close()
  })

  test('changes nothing in the directory', async () => {
    const { machine, directory, source } = await opened()
    const before = [...machine.fs.tree()].filter(([path]) => path.startsWith('/data'))
    await (await source.snapshot()).release()
    const after = [...machine.fs.tree()].filter(([path]) => path.startsWith('/data'))
    expect(after).toEqual(before)
    await directory.close()
  })

  test('goes without links where there can be none', async () => {
    const { machine, directory, log, sourceOn } = await opened()
    for (const code of ['EXDEV', 'EPERM', 'ENOSPC', 'EMLINK']) {
      const snapshot = await sourceOn(withoutLinks(machine.fs, code)).snapshot()
      expect(bytesIn(machine, snapshot)).toEqual(sourceBytes(machine, log))
      if (kind === 'live') {
        // The log itself keeps the files then.
        await expect(compact(machine, log, () => true)).rejects.toThrow(SegmentPinnedError)
      }
      await snapshot.release()
    }
    await compact(machine, log, () => true)
    await directory.close()
  })

  test('has another print when there is something new, and only then', async () => {
    const { machine, directory, log, source } = await opened()
    const first = source.fingerprint()
    expect(source.fingerprint()).toBe(first)
    machine.clock.advance(1000)
    await appendRecords(log, 1)
    expect(source.fingerprint()).not.toBe(first)
    await directory.close()
  })

  test('goes on without a partition that cannot be read, and says so', async () => {
    const { machine, directory, source } = await opened()
    await directory.createLog('u', 3)
    machine.fs.writeBytes(`${dataPath}/u-3/partition.metadata`, Buffer.from('rubbish'))
    const snapshot = await source.snapshot()
    expect(snapshot.partitions.map(({ topic }) => topic)).toEqual(['t'])
    expect(snapshot.missing).toMatchObject([{ topic: 'u', partition: 3 }])
    await snapshot.release()
    await directory.close()
  })

  test('tells of a failing disk in our words, and holds nothing then', async () => {
    const { machine, directory, source } = await opened()
    for (let after = 0; after < 60; after++) {
      machine.fs.injectFault({ kind: 'EIO', after, counting: 'calls' })
      const outcome = await source.snapshot().then(
        (snapshot) => {
          machine.fs.clearFaults()
          return snapshot.release()
        },
        (error: unknown) => error,
      )
      machine.fs.clearFaults()
      if (outcome !== undefined) expect(outcome).toBeInstanceOf(VarveError)
    }
    await (await source.snapshot()).release()
    expect([...machine.fs.tree().keys()].filter((path) => path.startsWith(work))).toEqual([])
    await directory.close()
  })
})

test('a directory is looked at whether or not somebody has it open', async () => {
  const machine = new Machine()
  const source = new DirectorySource(`${dataPath}/`, { fs: machine.fs })
  await expect(source.snapshot()).rejects.toThrow(InvalidArgumentError)
  const directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 10)
  const beside = await source.snapshot()
  await beside.release()
  await directory.close()
  const after = await source.snapshot()
  expect(after.partitions.map(({ endOffset }) => endOffset)).toEqual(
    beside.partitions.map(({ endOffset }) => endOffset),
  )
  await after.release()
  // It was not left locked.
  await (await machine.openData()).close()
})

test('what retention deletes while a directory is looked at is no gap', async () => {
  const machine = new Machine()
  const directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await log.alter({ segmentBytes: 2 ** 20 })
  // Larger than what is read at once, so that others have their turn during the read.
  await log.append({ value: Buffer.alloc(200_000) })
  await log.roll()
  await log.settle()
  let deletion: Promise<unknown> | null = null
  const fs = withCall(machine.fs, 'open', (path, mode) => {
    const file = machine.fs.open(path, mode)
    const read = file.read.bind(file)
    file.read = async (target, position) => {
      deletion ??= log.deleteSegmentsBefore(log.highWatermark)
      await deletion
      return read(target, position)
    }
    return file
  })
  const snapshot = await new DirectorySource(dataPath, { fs }).snapshot()
  expect(deletion).not.toBeNull()
  expect(snapshot.missing).toEqual([])
  expect(snapshot.partitions).toMatchObject([{ logStartOffset: 1, endOffset: 1 }])
  await snapshot.release()
  await directory.close()
})

test('what processes held that are gone is let go, and nothing else', async () => {
  const { fs } = new Machine()
  fs.writeBytes('/data/file', Buffer.from('x'))
  const names = ['77-aaaaaaaaaaaa', '78-bbbbbbbbbbbb', 'other', `${process.pid}-cccccccccccc`]
  for (const name of names) fs.writeBytes(`${work}/snapshots/${name}/t-0/0.log`, Buffer.from('x'))
  const own = new HeldFiles(fs, work)
  own.hold('/data/file', 't-0')
  await own.releaseAbandoned((processId) => processId === 78)
  const left = fs.list(`${work}/snapshots`).filter((name) => !name.startsWith(`${process.pid}-`))
  // The process before this one that had its number is gone too.
  expect(left.toSorted()).toEqual(['78-bbbbbbbbbbbb', 'other'])
  expect(fs.list(`${work}/snapshots`)).toHaveLength(3)
  await own.release()
  expect(fs.list(`${work}/snapshots`).toSorted()).toEqual(['78-bbbbbbbbbbbb', 'other'])
})

test('a file that is gone cannot be held', () => {
  const held = new HeldFiles(new Machine().fs, work)
  expect(() => held.hold('/data/file', 't-0')).toThrow('ENOENT')
  expect(held.canLink).toBe(true)
})

test('what is kept for a data directory is beside it, never in it', () => {
  expect(workDirectoryOf('/data')).toBe('/.data.varve-backup')
  expect(workDirectoryOf('/var/lib/varve/')).toBe('/var/lib/.varve.varve-backup')
})

test('errors of the file system are told in our words, and mistakes are not hidden', async () => {
  const system = Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'read' })
  const fail = (error: Error) => withOurErrors('reading', () => Promise.reject(error))
  await expect(fail(system)).rejects.toMatchObject({ code: 'VARVE_STORAGE', cause: system })
  await expect(fail(new TypeError('mistake'))).rejects.toThrow(TypeError)
  expect(isFileProblem(new TypeError('mistake'))).toBe(false)
})

test('a directory is looked at where there are no locks', async () => {
  const machine = new Machine()
  const directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 10)
  await directory.close()
  const lock = () => Promise.reject(new NativeModuleError('fs-ext', 'locks', new Error('none')))
  const fs = withCall(machine.fs, 'lock', lock)
  const snapshot = await new DirectorySource(dataPath, { fs }).snapshot()
  expect(snapshot.partitions).toMatchObject([{ topic: 't', endOffset: 10 }])
  await snapshot.release()
})
