import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '@varve/log'
import { ManualClock, Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import {
  CorruptRepositoryError,
  LeaseLostError,
  RepositoryBusyError,
} from '../../src/base/backup-errors.ts'
import { encodeReferences } from '../../src/format/reference-list.ts'
import { pruneBackups } from '../../src/pruning/prune.ts'
import { sweep } from '../../src/pruning/sweep.ts'
import { AuditLog } from '../../src/repository/audit-log.ts'
import {
  type BackupName,
  listBackups,
  manifestKey,
  referencesKey,
} from '../../src/repository/backup-catalogue.ts'
import { holdBackup, releaseBackup } from '../../src/repository/holds.ts'
import { Lease } from '../../src/repository/leases.ts'
import { objectKey } from '../../src/repository/repository.ts'
import { readUnneeded } from '../../src/repository/unneeded-objects.ts'
import { MemoryTarget } from '../memory-target.ts'

const hourMs = 3_600_000
const graceMs = 24 * hourMs
const sourceId = '0'.repeat(32)

/** The clock of a process: when that is dead nothing is called back any more. */
class ProcessClock implements Clock {
  readonly #clock: Clock
  isAlive = true

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#clock.setTimer(delayMs, () => {
      if (this.isAlive) callback()
    })
  }
}

/** Backups as pruning sees them: names, references and objects, whatever is in them. */
class Store {
  readonly clock: ManualClock = new ManualClock()
  readonly target: MemoryTarget = new MemoryTarget(this.clock)
  /** Of the process that is at work. */
  processClock: Clock = this.clock
  #sequence = 0

  nextName(): BackupName {
    const time = new Date(this.clock.now()).toISOString().replaceAll(/[-:]/g, '')
    this.#sequence++
    return {
      sourceId,
      sequence: this.#sequence,
      backupId: `${time}-${randomBytes(4).toString('hex')}`,
    }
  }

  /** In the order in which a backup does it. */
  async backUp(ids: readonly string[]): Promise<BackupName> {
    const lease = await Lease.take('backup', this.target, this.processClock)
    const name = this.nextName()
    const { sinceMs } = await readUnneeded(this.target)
    for (const key of ids.map((id) => objectKey('main', id))) {
      const mode = sinceMs.has(key) ? 'replace' : 'new'
      await this.target.put(key, Buffer.from(key.slice(-64)), { mode })
    }
    await lease.confirm()
    await this.target.put(referencesKey(name), encodeReferences(new Map([['main', new Set(ids)]])))
    await this.target.put(manifestKey(name), Buffer.from('manifest'))
    await lease.confirm().catch(() => this.target.remove(manifestKey(name)))
    await lease.release()
    return name
  }

  get objects(): readonly string[] {
    return [...this.target.files.keys()].filter((key) => key.startsWith('objects/'))
  }

  prune(last: number, isExecuted = true) {
    const policy = { last, verified: 0 }
    return pruneBackups(this.target, { policy, isExecuted, graceMs, clock: this.processClock })
  }
}

const idOf = (index: number): string => index.toString(16).padStart(64, '0')

test('a plan changes nothing', async () => {
  const store = new Store()
  await store.backUp([idOf(1)])
  const second = await store.backUp([idOf(2)])
  const before = [...store.target.files.keys()]
  const { removed, decisions, swept } = await store.prune(1, false)
  expect(removed).toHaveLength(1)
  expect(decisions.at(-1)).toMatchObject({
    candidate: { backupId: second.backupId },
    reasons: ['last'],
  })
  expect(swept).toBeNull()
  expect([...store.target.files.keys()]).toEqual(before)
})

test('manifests go at once, objects that nobody needs when their grace is over', async () => {
  const store = new Store()
  await store.backUp([idOf(1), idOf(2)])
  await store.backUp([idOf(2), idOf(3)])
  const first = await store.prune(1)
  expect(first.swept).toEqual({ removedObjects: 0, removedBytes: 0, waitingObjects: 1 })
  expect(await listBackups(store.target)).toHaveLength(1)
  store.clock.advance(graceMs - 1)
  expect((await store.prune(1)).swept?.removedObjects).toBe(0)
  store.clock.advance(1)
  expect((await store.prune(1)).swept).toEqual({
    removedObjects: 1,
    removedBytes: 64,
    waitingObjects: 0,
  })
  expect(store.objects).toEqual([objectKey('main', idOf(2)), objectKey('main', idOf(3))])
  expect([...store.target.files.keys()].filter((key) => key.startsWith('unneeded/'))).toEqual([])
})

test('an object that is needed again begins its grace anew when it is not any more', async () => {
  const store = new Store()
  await store.backUp([idOf(1)])
  await store.backUp([idOf(2)])
  await store.prune(1)
  store.clock.advance(graceMs / 2)
  await store.backUp([idOf(1)])
  await store.prune(1)
  store.clock.advance(graceMs / 2)
  await store.backUp([idOf(3)])
  await store.prune(1)
  expect(store.objects).toContain(objectKey('main', idOf(1)))
  store.clock.advance(graceMs)
  await store.prune(1)
  expect(store.objects).toEqual([objectKey('main', idOf(3))])
})

test('a held backup stays until it is released', async () => {
  const store = new Store()
  const { backupId } = await store.backUp([idOf(1)])
  await store.backUp([idOf(2)])
  await holdBackup(store.target, backupId)
  expect((await store.prune(1)).removed).toEqual([])
  await releaseBackup(store.target, backupId)
  expect((await store.prune(1)).removed).toEqual([backupId])
  const entries = await new AuditLog(store.target, null).read()
  expect(entries.map(({ action, details }) => [action, details])).toEqual([['prune', backupId]])
})

test('nothing is removed beside a backup, nor while it is not known what one needs', async () => {
  const store = new Store()
  await store.backUp([idOf(1)])
  const second = await store.backUp([idOf(2)])
  const lease = await Lease.take('backup', store.target, store.clock)
  await expect(store.prune(1)).rejects.toThrow(RepositoryBusyError)
  expect(store.objects).toHaveLength(2)
  await lease.release()
  await store.target.remove(referencesKey(second))
  store.clock.advance(2 * graceMs)
  await expect(store.prune(1)).rejects.toThrow(CorruptRepositoryError)
  expect(store.objects).toHaveLength(2)
})

test('no backup begins while objects are removed, and two sweeps never run at once', async () => {
  const store = new Store()
  const lease = await Lease.take('sweep', store.target, store.clock)
  await expect(Lease.take('backup', store.target, store.clock)).rejects.toThrow(RepositoryBusyError)
  await expect(Lease.take('sweep', store.target, store.clock)).rejects.toThrow(RepositoryBusyError)
  await lease.release()
  const [one, two] = await Promise.all([
    Lease.take('backup', store.target, store.clock),
    Lease.take('backup', store.target, store.clock),
  ])
  await Promise.all([one.release(), two.release()])
  expect(store.target.files.size).toBe(0)
})

test('a lease is renewed while its owner lives, and counts no more when it has stood still', async () => {
  const store = new Store()
  const living = await Lease.take('backup', store.target, store.clock)
  for (let minute = 0; minute < 30; minute++) {
    store.clock.advance(60_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await expect(Lease.take('sweep', store.target, store.clock)).rejects.toThrow(RepositoryBusyError)
  // The process is stopped: its timers do not run, and the store's clock goes on.
  store.target.onCall = (call, key) => {
    if (call === 'put' && key.startsWith('leases/backup')) throw new Error('stopped')
  }
  for (let minute = 0; minute < 16; minute++) {
    store.clock.advance(60_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  store.target.onCall = () => {}
  const sweeping = await Lease.take('sweep', store.target, store.clock)
  await sweeping.release()
  await expect(living.confirm()).rejects.toThrow()
  await living.release()
})

test('a lease that somebody removed is found lost', async () => {
  const store = new Store()
  const lease = await Lease.take('backup', store.target, store.clock)
  store.target.files.clear()
  await expect(lease.confirm()).rejects.toThrow(LeaseLostError)
  await lease.release()
})

test('whatever runs, crashes and runs again: no needed object goes, no unneeded one outlives its grace', async () => {
  const { seed, random } = seeded()
  for (let round = 0; round < 60; round++) {
    const store = new Store()
    for (let step = 0; step < 40; step++) await randomStep(store, random)
    store.target.onCall = () => {}
    // Leases of the dead end, then two sweeps with the grace between them.
    store.clock.advance(hourMs)
    await sweep(store.target, { clock: store.clock, graceMs, signal: null })
    store.clock.advance(graceMs)
    await sweep(store.target, { clock: store.clock, graceMs, signal: null })
    const needed = await neededObjects(store)
    expect(new Set(store.objects), `seed ${seed}, round ${round}`).toEqual(needed)
  }
})

async function randomStep(store: Store, random: Random): Promise<void> {
  store.clock.advance(random.between(0, 30) * hourMs)
  const processClock = new ProcessClock(store.clock)
  store.processClock = processClock
  const crashAt = random.between(0, 40)
  let calls = 0
  store.target.onCall = () => {
    if (calls++ >= crashAt) throw new Error('power lost')
  }
  try {
    if (random.between(0, 2) > 0) {
      const ids = Array.from({ length: random.between(1, 6) }, () => idOf(random.between(1, 12)))
      await store.backUp(ids)
    } else {
      await store.prune(random.between(1, 3))
    }
  } catch (error) {
    const isExpected = error instanceof RepositoryBusyError || String(error).includes('power lost')
    if (!isExpected) throw error
  }
  processClock.isAlive = false
  store.target.onCall = () => {}
  const needed = await neededObjects(store)
  for (const key of needed) expect(store.objects).toContain(key)
}

test('backups and prunings that run at once, stand still for long and die take nothing from each other', async () => {
  const { seed, random } = seeded()
  for (let round = 0; round < 150; round++) {
    const store = new Store()
    for (let step = 0; step < 6; step++) {
      await atOnce(store, random)
      const needed = await neededObjects(store)
      for (const key of needed) {
        expect(store.objects, `seed ${seed}, round ${round}, step ${step}`).toContain(key)
      }
      store.clock.advance(random.between(0, 30) * hourMs)
    }
  }
})

/** Several at work, each call of each let through at a random moment, or never. */
async function atOnce(store: Store, random: Random): Promise<void> {
  const waiting: Array<() => void> = []
  // What is asked of the store is done at any moment later, but for removals: a removal that hangs
  // for longer than a lease lasts is the one thing that nobody guards against.
  store.target.onCall = (call) =>
    call === 'remove' ? undefined : new Promise((resolve) => waiting.push(resolve))
  const processClock = new ProcessClock(store.clock)
  store.processClock = processClock
  let running = 0
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    running++
    try {
      await work()
    } catch (error) {
      if (!(error instanceof RepositoryBusyError || error instanceof LeaseLostError)) throw error
    } finally {
      running--
    }
  }
  const works = Array.from({ length: 4 }, (_, index) =>
    run(() => {
      const ids = Array.from({ length: random.between(1, 5) }, () => idOf(random.between(1, 9)))
      return index < 3 ? store.backUp(ids) : store.prune(random.between(1, 2))
    }),
  )
  while (running > 0) {
    await new Promise((resolve) => setImmediate(resolve))
    const next = waiting.splice(random.int(Math.max(1, waiting.length)), 1)[0]
    // Now and then all of them stand still, for longer than a lease lasts.
    if (random.int(25) === 0) store.clock.advance(20 * 60_000)
    // The power goes: whoever waits, waits for ever.
    if (random.int(150) === 0) break
    next?.()
  }
  processClock.isAlive = false
  store.target.onCall = () => {}
  if (running === 0) await Promise.all(works)
}

/** What the manifests that are there need, told by their references. */
async function neededObjects(store: Store): Promise<ReadonlySet<string>> {
  const needed = new Set<string>()
  for (const name of await listBackups(store.target)) {
    const bytes = store.target.files.get(referencesKey(name))?.bytes ?? Buffer.alloc(0)
    for (let at = 12 + 1 + 4 + 4; at + 32 <= bytes.length - 4; at += 32) {
      needed.add(objectKey('main', bytes.toString('hex', at, at + 32)))
    }
  }
  return needed
}

function seeded(): { readonly seed: number; readonly random: Random } {
  const seed = seedFromEnvironment('pruning')
  return { seed, random: new Random(seed) }
}
