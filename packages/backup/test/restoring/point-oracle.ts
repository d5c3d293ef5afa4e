import type { LogDirectory } from '@varve/log'
import type { Random } from '@varve/log/testing'
import { expect } from 'vitest'
import type { RestorePoint } from '../../src/restoring/restore-point.ts'
import { removeDurably } from '../../src/restoring/staged-swap.ts'
import { recordsOf, Scene, type SeenRecord } from './scene.ts'
import { makeTopics, startMs } from './source-topics.ts'

/** What a partition of the source had. */
interface Known {
  readonly name: string
  readonly logStartOffset: number
  readonly endOffset: number
  readonly records: readonly SeenRecord[]
}

/** A backup of all sorts of partitions, and what would be right to restore of it at any point. */
export class PointOracle {
  readonly scene: Scene
  readonly #known: readonly Known[]

  private constructor(scene: Scene, known: readonly Known[]) {
    this.scene = scene
    this.#known = known
  }

  static async make(random: Random): Promise<PointOracle> {
    const scene = await Scene.make()
    const source = await scene.openSource()
    await makeTopics(scene, source, random)
    await scene.backUp(source)
    const known = await knownOf(source)
    await source.close()
    return new PointOracle(scene, known)
  }

  /** Restores a partition to a random offset, moment or the stable end, and compares all of it. */
  async check(random: Random): Promise<void> {
    const known = random.pick(this.#known)
    const { point, end } = randomPoint(known, random)
    const to = '/place/point'
    const select = (topic: string, partition: number): boolean =>
      `${topic}-${partition}` === known.name
    const report = await this.scene.restore({ to, point, select })
    const what = `${known.name} to ${JSON.stringify(point)}, that is before ${end}`
    expect(report.partitions[0]?.endOffset, what).toBe(end)
    expect(await this.scene.findingsIn(to), what).toEqual([])
    const restored = await this.scene.open(to)
    const log = restored.logs.get(known.name)
    if (log === undefined) throw new Error(`${what}: it was not restored`)
    expect(log.logStartOffset, what).toBe(known.logStartOffset)
    expect(log.logEndOffset, what).toBe(end)
    expect(log.recoveryReport.cut, what).toBeNull()
    expect(await recordsOf(log), what).toEqual(known.records.filter(({ offset }) => offset < end))
    expect(log.lastStableOffset, what).toBe(stableEndOf(known, end))
    // It can be written on.
    const { baseOffset } = await log.append({ value: 'after' })
    expect(baseOffset, what).toBe(end)
    await restored.close()
    await removeDurably(this.scene.fs, to)
  }
}

async function knownOf(source: LogDirectory): Promise<readonly Known[]> {
  const known: Known[] = []
  for (const log of source.logs.values()) {
    const { name, logStartOffset, logEndOffset: endOffset } = log
    known.push({ name, logStartOffset, endOffset, records: await recordsOf(log) })
  }
  return known
}

function randomPoint(
  known: Known,
  random: Random,
): { readonly point: RestorePoint; readonly end: number } {
  const { logStartOffset, endOffset, records, name } = known
  switch (random.int(5)) {
    case 0:
      return { point: { kind: 'stable' }, end: stableEndOf(known, endOffset) }
    case 1:
    case 2: {
      const timestamp = random.pick([
        startMs + random.int(20_000) - 1000,
        ...records.slice(0, 1).map((record) => record.timestamp),
        ...(records.length > 0 ? [random.pick(records).timestamp] : []),
      ])
      const younger = records.find((record) => record.timestamp > timestamp)
      return { point: { kind: 'time', timestamp }, end: younger?.offset ?? endOffset }
    }
    default: {
      const end = logStartOffset + random.int(endOffset - logStartOffset + 1)
      return { point: { kind: 'offsets', offsets: new Map([[name, end]]) }, end }
    }
  }
}

/** The first record of a transaction that is not decided before `end`; `end` without one. */
function stableEndOf({ records }: Known, end: number): number {
  const open = new Map<string, number>()
  for (const { offset, batch } of records) {
    if (offset >= end) break
    const [, , producerId = '', , isTransactional, isControl] = batch.split(',')
    if (isTransactional !== 'true') continue
    if (isControl === 'true') open.delete(producerId)
    else if (!open.has(producerId)) open.set(producerId, offset)
  }
  return Math.min(end, ...open.values())
}
