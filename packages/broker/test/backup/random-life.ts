import {
  BackupCatalogue,
  DirectorySource,
  DirectoryTarget,
  inlineDecoder,
  inlineEncoder,
  pruneBackups,
  Repository,
  restoreBackup,
  runBackup,
  verifyRepository,
} from '@varve/backup'
import { verifyPath } from '@varve/log'
import { Random } from '@varve/log/testing'
import { expect } from 'vitest'
import { restoreHooks } from '../../src/backup/restore-hooks.ts'
import type { DirectoryVarve } from '../../src/directory-varve.ts'
import { dataPath, type Machine, newMachine, openOn } from '../broker-fixture.ts'

const names = ['a', 'a.b', 'a-1', '-', '_', '...', 'in-0-0', 'x'.repeat(200)]
const settings = { segmentBytes: 1024, fileDeleteDelayMs: 0 }
const compacted = { cleanupPolicy: 'compact', minCleanableDirtyRatio: 0 } as const

/** Of each partition where it starts and ends, and its records. */
async function contentOf(varve: DirectoryVarve): Promise<string> {
  const content: unknown[] = []
  for (const name of [...(await varve.listTopics())].sort()) {
    const { topicId, partitions, settings: own } = await varve.describeTopic(name)
    for (const [index] of partitions.entries()) {
      const log = varve.log(name, index)
      const records: unknown[] = []
      for await (const record of log.reader({ from: log.logStartOffset }).records()) {
        const { offset, key, value, timestamp } = record
        records.push([offset, timestamp, key?.toString(), value?.toString()])
      }
      content.push([name, topicId, own, index, log.logStartOffset, log.logEndOffset, records])
    }
  }
  return JSON.stringify(content)
}

/** A data directory to which anything happens, and its backups. */
class Life {
  readonly #random: Random
  readonly #repository: Repository
  #machine: Machine
  #varve: DirectoryVarve
  /** What was there, by backup. */
  readonly #contents = new Map<string, string>()
  #count = 0

  private constructor(
    random: Random,
    repository: Repository,
    machine: Machine,
    varve: DirectoryVarve,
  ) {
    this.#random = random
    this.#repository = repository
    this.#machine = machine
    this.#varve = varve
  }

  static async begin(random: Random): Promise<Life> {
    const machine = newMachine()
    const store = newMachine()
    store.fs.makeDirectories('/backups')
    const target = new DirectoryTarget('/backups/repository', { fs: store.fs })
    const repository = await Repository.create(target, { objectBytes: 1024 })
    return new Life(random, repository, machine, await openOn(machine, { cleaning: false }))
  }

  async step(): Promise<string> {
    const random = this.#random
    const topics = await this.#varve.listTopics()
    const topic = topics.length === 0 ? null : random.pick(topics)
    this.#machine.clock.advance(random.int(1000))
    const what = random.int(12)
    if (what < 2 || topic === null) return this.#create(random.pick(names))
    if (what === 2) {
      await this.#varve.deleteTopic(topic)
      return `delete ${topic}`
    }
    if (what < 7) return this.#send(topic)
    if (what === 7) {
      await this.#varve.cleaner.runOnce()
      return 'compact'
    }
    if (what === 8) {
      const log = this.#varve.log(topic, 0)
      await log.deleteSegmentsBefore(random.between(log.logStartOffset, log.highWatermark))
      return `trim ${topic}`
    }
    return what === 9 ? this.#restart() : this.#backUp()
  }

  async #create(name: string): Promise<string> {
    if ((await this.#varve.listTopics()).includes(name)) return `there is ${name}`
    const own = { ...settings, ...(this.#random.bool() && compacted) }
    // Names that differ in dots and underscores only are refused.
    const made = await this.#varve
      .createTopic(name, { ...own, partitions: this.#random.between(1, 3) })
      .then(String, (error: Error) => error.message)
    return `create ${name}: ${made}`
  }

  async #send(topic: string): Promise<string> {
    const random = this.#random
    const { partitions } = await this.#varve.describeTopic(topic)
    const log = this.#varve.log(topic, random.int(partitions.length))
    for (let count = random.int(20); count > 0; count--) {
      const value = random.int(4) === 0 ? null : 'v'.repeat(random.int(200))
      const timestamp = this.#machine.clock.now() - random.int(5000)
      await log.append({ key: `k${random.int(9)}`, value, timestamp }, { acks: 'flushed' })
    }
    return `send ${log.name}`
  }

  async #restart(): Promise<string> {
    const { fs, clock } = this.#machine
    if (this.#random.bool()) await this.#varve.close()
    else this.#machine = { fs: fs.killState(fs.operations), clock }
    this.#varve = await openOn(this.#machine, { cleaning: false })
    return 'restart'
  }

  async #backUp(): Promise<string> {
    const { fs, clock } = this.#machine
    const random = this.#random
    const source = random.bool()
      ? this.#varve.backupSource()
      : new DirectorySource(dataPath, { fs, now: () => clock.now() })
    // Whoever takes it may have a clock that is wrong.
    const wrong = random.int(3) === 0 ? random.int(3_600_000) : 0
    const kind = random.pick(['full', 'incremental', 'incremental', 'differential'] as const)
    const report = await runBackup(this.#repository, source, {
      ...{ fs, kind, encoder: inlineEncoder(fs), threads: 1, source: dataPath },
      clock: {
        now: () => clock.now() - wrong,
        monotonic: () => clock.monotonic(),
        setTimer: (delayMs, run) => clock.setTimer(delayMs, run),
      },
    })
    expect(report).toMatchObject({ gaps: [], findings: [], warnings: [] })
    this.#contents.set(report.backupId, await contentOf(this.#varve))
    return `back up, ${kind}, ${wrong}`
  }

  /** Restores every backup, after some are pruned. Resolves to how many. */
  async check(): Promise<number> {
    const { target } = this.#repository
    const { clock } = this.#machine
    await this.#varve.close()
    const policy = { last: 4, verified: 0 }
    await pruneBackups(target, { policy, isExecuted: true, clock, graceMs: 0 })
    const decoder = inlineDecoder()
    const verifying = { decoder, clock, threads: 1 }
    expect((await verifyRepository(this.#repository, verifying)).findings).toEqual([])
    const catalogue = new BackupCatalogue(this.#repository)
    for (const name of await catalogue.list()) {
      const machine = newMachine()
      const { fs } = machine
      const how = { fs, clock, threads: 1, decoder, encoder: inlineEncoder(fs) }
      const hooks = restoreHooks()
      await restoreBackup(this.#repository, await catalogue.read(name), {
        ...{ ...how, hooks, to: dataPath },
      })
      for await (const { severity, message } of verifyPath(dataPath, { fs })) {
        expect([severity, message]).toEqual(['note', message])
      }
      await using restored = await openOn(machine, { cleaning: false })
      expect(await contentOf(restored)).toBe(this.#contents.get(name.backupId))
      this.#count++
    }
    return this.#count
  }
}

/** So many lives, one after the other. Resolves to how many backups were restored. */
export async function liveAtRandom(seed: number, lives: number): Promise<number> {
  const random = new Random(seed)
  let restored = 0
  for (let life = 0; life < lives; life++) {
    const steps: string[] = []
    try {
      const living = await Life.begin(random)
      for (let step = 0; step < 40; step++) steps.push(await living.step())
      restored += await living.check()
    } catch (error) {
      const told = `VARVE_SEED=${seed}, life ${life} after ${steps.join(', ')}`
      throw new Error(`${told}: ${(error as Error).message}`, { cause: error })
    }
  }
  return restored
}
