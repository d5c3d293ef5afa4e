import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Repository } from '../../src/repository/repository.ts'
import { DirectorySource } from '../../src/source/directory-source.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { BackupStateFile } from '../../src/taking/backup-state.ts'
import { encoderPool } from '../../src/taking/encoder-pool.ts'
import { encodeExtent, inlineEncoder } from '../../src/taking/extent-encoder.ts'
import type { BackupProgress } from '../../src/taking/progress-meter.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'
import {
  appendRecords,
  compact,
  keysOf,
  Machine,
  sourceBytes,
  storedBytes,
} from '../backup-fixture.ts'
import { MemoryTarget } from '../memory-target.ts'

test.each(['full', 'incremental'] as const)(
  'after an interruption one that is %s stores nothing again that was stored',
  async (kind) => {
    const machine = new Machine()
    const target = new MemoryTarget(machine.clock)
    await using repository = await Repository.create(target, { objectBytes: 2048 })
    await using directory = await machine.openData()
    const log = await directory.createLog('t', 0)
    await appendRecords(log, 50)
    await machine.back(repository, directory)
    await appendRecords(log, 300)
    const stored: string[] = []
    let left = 20
    target.onCall = (call, key) => {
      if (call !== 'put' || !key.startsWith('objects/')) return
      if (left-- === 0) throw new Error('the line broke')
      stored.push(key)
    }
    await expect(machine.back(repository, directory, { kind })).rejects.toThrow('the line broke')
    expect(await keysOf(target, 'leases/')).toEqual([])
    left = Number.POSITIVE_INFINITY
    const again = await machine.back(repository, directory, { kind })
    expect(again).toMatchObject({ sequence: 2, gaps: [] })
    expect(stored.length).toBeGreaterThan(25)
    expect(new Set(stored).size).toBe(stored.length)
    const { segments } = (await storedBytes(repository)).get('t-0') ?? {}
    expect(segments).toEqual(sourceBytes(machine, log))
  },
)

test('a backup that is told to stop stops, and there is none', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 300)
  const stopping = new AbortController()
  const encoder = inlineEncoder(machine.fs)
  let encoded = 0
  const encode: typeof encoder.encode = (task) => {
    if (++encoded === 5) stopping.abort(new Error('enough'))
    return encoder.encode(task)
  }
  const { signal } = stopping
  const running = machine.back(repository, directory, { signal, encoder: { ...encoder, encode } })
  await expect(running).rejects.toThrow('enough')
  expect(await keysOf(repository.target, 'manifests/')).toEqual([])
  expect(await keysOf(repository.target, 'leases/')).toEqual([])
  expect(encoded).toBeLessThan(12)
})

test('compaction and retention during the copy change nothing of what is stored', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 400)
  const before = sourceBytes(machine, log)
  const encoder = inlineEncoder(machine.fs)
  let changing: Promise<void> | null = null
  const change = async (): Promise<void> => {
    await appendRecords(log, 200, 'later')
    await compact(machine, log, (offset) => offset % 7 === 0)
    await log.deleteSegmentsBefore(log.highWatermark)
  }
  const encode: typeof encoder.encode = async (task) => {
    changing ??= change()
    await changing
    return encoder.encode(task)
  }
  const report = await machine.back(repository, directory, { encoder: { ...encoder, encode } })
  expect(report).toMatchObject({ gaps: [], findings: [], warnings: [] })
  expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(before)
  expect(log.logStartOffset).toBe(600)
})

test('threads do what one does, with keys and without', async () => {
  using place = makeTemporaryDirectory()
  await using directory = await LogDirectory.open(`${place.path}/data`, {
    log: { segmentBytes: 65_536 },
  })
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 600)
  for (const encryption of [null, { passphrase: 'correct horse', scryptN: 1024, rsaBits: 2048 }]) {
    const target = new DirectoryTarget(`${place.path}/${encryption === null ? 'plain' : 'secret'}`)
    const made = await Repository.create(target, {
      objectBytes: 8192,
      ...(encryption !== null && { encryption }),
    })
    const progress: BackupProgress[] = []
    const report = await runBackup(made, new LiveSource(directory), {
      threads: 2,
      stateDirectory: `${place.path}/state`,
      onProgress: (step) => progress.push(step),
    })
    expect(report.gaps).toEqual([])
    const last = progress.at(-1)
    expect(last?.doneBytes).toBe(report.figures.totalBytes)
    expect(last).toMatchObject({ doneBytes: last?.totalBytes })
    await using repository = await Repository.open(target, encryption)
    using snapshot = log.snapshot()
    const wanted = snapshot.segments.map(({ path, sizeBytes }) => {
      const bytes = Buffer.alloc(sizeBytes)
      const file = nodeFileSystem.open(path, 'read')
      file.readSync(bytes, 0)
      file.close()
      return bytes
    })
    expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(wanted)
    // Beside the process, from the same state.
    const beside = await runBackup(repository, new DirectorySource(directory.path), {
      threads: 1,
      stateDirectory: `${place.path}/state`,
    })
    expect(beside).toMatchObject({ base: report.backupId, gaps: [] })
    expect(beside.figures.newObjects).toBeLessThanOrEqual(1)
  }
})

test('a thread tells what the system said', async () => {
  const pool = encoderPool(1)
  const task = {
    ...{ path: '/nowhere/at/all', fileId: -1, position: 0, limit: 1, endOffset: 1, isRaw: true },
    ...{ objectBytes: 1024, known: new BigUint64Array(0), idKey: null, epoch: null },
    repositoryId: Buffer.alloc(16),
  }
  await expect(pool.encode(task)).rejects.toMatchObject({ code: 'ENOENT' })
  await pool.close()
  expect(() => encodeExtent(nodeFileSystem, task)).toThrow('ENOENT')
})

test('a state of which any bit was flipped counts as none', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 20)
  await machine.back(repository, directory)
  const path = [...machine.fs.tree().keys()].find((name) => name.endsWith('-latest')) ?? ''
  const place = path.slice(0, path.lastIndexOf('/'))
  const state = new BackupStateFile(place, repository.file.repositoryId, 'latest', machine.fs)
  expect(state.path).toBe(path)
  expect(state.read()?.manifest.sequence).toBe(1)
  const bits = 8 * machine.fs.bytesOf(path).length
  for (let bit = 0; bit < bits; bit += 5) {
    machine.fs.flipBit(path, bit)
    expect(state.read(), `bit ${bit}`).toBe(null)
    machine.fs.flipBit(path, bit)
  }
})

test('reading and storing are held to their rates', async () => {
  const machine = new Machine()
  await using repository = await machine.create()
  await using directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 200)
  const started = machine.clock.monotonic()
  let isDone = false
  const running = machine
    .back(repository, directory, { readBytesPerSecond: 10_000, uploadBytesPerSecond: 5000 })
    .finally(() => {
      isDone = true
    })
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    machine.clock.advance(10)
  }
  const { figures } = await running
  const seconds = (machine.clock.monotonic() - started) / 1000
  expect(figures.readBytes / seconds).toBeLessThan(12_000)
  expect(figures.newBytes / seconds).toBeLessThan(6000)
})

test('an object that is cut off is stored again by the next backup that needs it', async () => {
  const machine = new Machine()
  const target = new MemoryTarget(machine.clock)
  await using repository = await Repository.create(target, { objectBytes: 2048 })
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, 100)
  await machine.back(repository, directory)
  await appendRecords(log, 100)
  // Left by a run that came to nothing, in a store that keeps half of what it is given.
  const before = new Set(await keysOf(target))
  await machine.back(repository, directory)
  const added = (await keysOf(target, 'objects/')).filter((key) => !before.has(key))
  const wholes = await Promise.all(added.map((key) => target.get(key)))
  for (const key of await keysOf(target)) if (!before.has(key)) await target.remove(key)
  for (const [index, key] of added.entries()) {
    await target.put(key, wholes[index]?.subarray(0, 50) ?? Buffer.alloc(0))
  }
  for (const path of machine.fs.tree().keys()) {
    if (path.endsWith('-latest')) await machine.fs.remove(path)
  }
  await machine.back(repository, directory)
  expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})
