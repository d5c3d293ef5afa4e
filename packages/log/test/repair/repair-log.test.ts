import { describe, expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { LogDirectory } from '../../src/log-directory.ts'
import { repairLog } from '../../src/repair/repair-log.ts'
import { planRepair } from '../../src/repair/repair-plan.ts'
import { Random, type SimulatedFileSystem, seedFromEnvironment } from '../../src/testing/index.ts'
import { batchesOf, type Hurt, hurt, isHurt, type PlacedBatch } from '../rot/damage.ts'
import { faults, withoutMarker } from '../rot/oracle.ts'
import {
  describe as describeRecord,
  directory,
  killed,
  legacy,
  openOptions,
  plain,
  type Shape,
  smallShapes,
  trimmed,
} from '../rot/shapes.ts'

const isLong = process.env['VARVE_CAMPAIGN'] === 'long'
const seed = seedFromEnvironment('repair-log.test.ts')
const shapes = await Promise.all(smallShapes.map((make) => make()))
const first = `${directory}/00000000000000000000.log`
const log = { indexIntervalBytes: 100 }

/** What a reader gets of a log that opens; the test fails when it does not. */
async function read(fs: SimulatedFileSystem): Promise<readonly string[]> {
  const data = await LogDirectory.open('/data', openOptions(fs))
  expect([...data.failures.values()].map(String)).toEqual([])
  const opened = data.log('t', 0)
  expect(opened.recoveryReport.cut).toBeNull()
  const records: string[] = []
  for await (const batch of opened.reader({ from: opened.logStartOffset })) {
    for (const record of batch.records()) records.push(describeRecord(record))
  }
  await data.close()
  return records
}

/** Hurts one or two files, more often a segment than another. */
function hurtSome(shape: Shape, fs: SimulatedFileSystem, random: Random): readonly Hurt[] {
  const files = [...fs.tree()].filter(([path, { isDirectory }]) => {
    return !isDirectory && !/(\.lock|\.kafka_cleanshutdown)$/.test(path)
  })
  const logs = files.filter(([path]) => path.endsWith('.log'))
  const hurts: Hurt[] = []
  // Only the digest tells when an offset of the old formats was changed: both cannot be lost.
  const count = random.bool(0.3) && !shape.name.startsWith('magic') ? 2 : 1
  for (let left = count; left > 0; left -= 1) {
    const [path] = random.pick(random.bool(0.7) ? logs : files)
    const one = hurt(fs, path, random)
    if (one !== null) hurts.push(one)
  }
  return hurts
}

/**
 * What epoch a batch has, the checkpoint of epochs says, and the digest, which proves any header of
 * which one bit was flipped. Both cannot be lost.
 */
function isEpochLost(batches: readonly PlacedBatch[], hurts: readonly Hurt[]): boolean {
  if (!hurts.some(({ path }) => path.endsWith('/leader-epoch-checkpoint'))) return false
  const headers = batches.map((batch) => ({ ...batch, end: batch.position + 21 }))
  const others = hurts.filter(({ what }) => !what.startsWith('flip'))
  return headers.some((header) => isHurt(header, others))
}

async function repairAndCheck(
  shape: Shape,
  batches: readonly PlacedBatch[],
  fs: SimulatedFileSystem,
  hurts: readonly Hurt[],
): Promise<void> {
  const report = await repairLog(directory, { fs, log })
  expect(report.findings, JSON.stringify(report.steps)).toEqual([])
  for (const path of report.keptFiles) expect(fs.stat(path), path).not.toBeNull()
  expect((await repairLog(directory, { fs, log })).steps).toEqual([])
  const records = await read(fs)
  const whole = batches.filter((batch) => !isHurt(batch, hurts))
  expect(records).toEqual(expect.arrayContaining(whole.flatMap((batch) => batch.records)))
  // What was deleted may come back when nobody knows any more that it was; and with too much of a
  // segment gone its digest proves no header. Nothing else is new.
  const isProved = hurts.length < 2 || hurts[0]?.path !== hurts[1]?.path
  if (shape.name !== 'trimmed' && isProved) {
    expect(shape.records).toEqual(expect.arrayContaining([...records]))
  }
  expect(await faults(fs, directory)).toEqual([])
}

describe.each(shapes.map((shape) => ({ name: shape.name, shape })))('a log: $name', ({ shape }) => {
  test('that is right has nothing to be repaired', async () => {
    const fs = shape.fs.fork()
    const before = fs.operations
    const plan = await planRepair(directory, { fs })
    expect(plan).toMatchObject({ steps: [], lostOffsets: [] })
    await repairLog(directory, { fs })
    expect(fs.operations).toBe(before)
  })

  test(
    'hurt at random places opens, verifies clean, and has every batch that was not hurt',
    async () => {
      const batches = await batchesOf(shape)
      const random = new Random(seed)
      const rounds = isLong ? scaled(2000) : 8
      for (let round = 0; round < rounds; round += 1) {
        const fs = shape.fs.fork()
        const hurts = hurtSome(shape, fs, random)
        if (isEpochLost(batches, hurts)) continue
        if (random.bool()) withoutMarker(fs)
        try {
          await repairAndCheck(shape, batches, fs, hurts)
        } catch (cause) {
          const what = hurts.map((one) => one.what).join(', ')
          throw new Error(`VARVE_SEED=${seed}, round ${round}: ${what}`, { cause })
        }
      }
      if (isLong) process.stdout.write(`${shape.name}: ${rounds} times hurt and repaired\n`)
    },
    isLong ? 3_600_000 : 60_000,
  )
})

describe('repairing', () => {
  test('puts a flipped bit of a header back, and loses nothing', async () => {
    const shape = await plain('none')
    const random = new Random(seed)
    const size = shape.fs.stat(first)?.sizeBytes ?? 0
    const [, second] = await batchesOf(shape)
    expect(second?.path).toBe(first)
    expect(size).toBeGreaterThan(0)
    for (let round = 0; round < 25; round += 1) {
      const fs = shape.fs.fork()
      const bit = (second?.position ?? 0) * 8 + random.int(21 * 8)
      fs.flipBit(first, bit)
      const report = await repairLog(directory, { fs, log })
      expect(report, `bit ${bit}`).toMatchObject({ lostOffsets: [], keptFiles: [], findings: [] })
      expect(report.steps.map(({ kind }) => kind)).toContain('restore-header')
      expect(fs.bytesOf(first).equals(shape.fs.bytesOf(first)), `bit ${bit}`).toBe(true)
      expect(await read(fs)).toEqual(shape.records)
    }
  })

  test('takes no batch of the old formats out because the next one was altered', async () => {
    const shape = await legacy(1)
    const size = shape.fs.stat(first)?.sizeBytes ?? 0
    const bytes = shape.fs.bytesOf(first)
    const [previous, last] = (await batchesOf(shape)).filter(({ path }) => path === first).slice(-2)
    expect([previous?.records.length, last?.end]).toEqual([3, size])
    for (const offset of [5, 6]) {
      const fs = shape.fs.fork()
      bytes.writeUInt32BE(offset, (last?.position ?? 0) + 4)
      fs.writeBytes(first, bytes)
      const report = await repairLog(directory, { fs, log })
      expect(report, `offset ${offset}`).toMatchObject({ lostOffsets: [], findings: [] })
      expect(fs.bytesOf(first).equals(shape.fs.bytesOf(first)), `offset ${offset}`).toBe(true)
    }
  })

  test('keeps what it takes out, and says which offsets are lost', async () => {
    const shape = await plain('none')
    const [, second] = await batchesOf(shape)
    const { position, end } = second ?? { position: 0, end: 0 }
    const fs = shape.fs.fork()
    fs.flipBit(first, (end - 1) * 8)
    const damaged = fs.bytesOf(first).subarray(position, end)
    const report = await repairLog(directory, { fs, log })
    expect(report.lostOffsets).toEqual([{ firstOffset: 3, lastOffset: 3 }])
    const kept = report.keptFiles.find((path) => path.startsWith(`${first}.${position}`))
    expect(kept).toBe(`${first}.${position}.broken`)
    expect(fs.bytesOf(kept ?? '').equals(damaged)).toBe(true)
    expect(await read(fs)).toEqual(shape.records.filter((record) => !record.startsWith('3 ')))
  })

  test('sets the recovery point back when the end of the log is gone', async () => {
    const shape = await plain('none')
    const fs = shape.fs.fork()
    const last = `${directory}/00000000000000000015.log`
    fs.writeBytes(last, fs.bytesOf(last).subarray(0, 110))
    const report = await repairLog(directory, { fs, log })
    expect(report).toMatchObject({
      logEndOffset: 16,
      lostOffsets: [{ firstOffset: 16, lastOffset: 17 }],
    })
    expect(await read(fs)).toHaveLength(16)
  })

  test('takes a segment out that holds nothing right, and leaves the others', async () => {
    const shape = await plain('none')
    const fs = shape.fs.fork()
    const middle = `${directory}/00000000000000000008.log`
    fs.writeBytes(middle, new Random(seed).bytes(fs.bytesOf(middle).length))
    const report = await repairLog(directory, { fs, log })
    expect(report.lostOffsets).toEqual([{ firstOffset: 8, lastOffset: 14 }])
    expect(report.keptFiles).toContain(`${middle}.broken`)
    expect(fs.stat(middle)).toBeNull()
    expect(await read(fs)).toHaveLength(11)
  })

  test('makes log start and leader epochs agree where neither can be right', async () => {
    const { fs } = await trimmed()
    fs.writeBytes(`${directory}/leader-epoch-checkpoint`, Buffer.from('0\n1\n0 3\n'))
    const report = await repairLog(directory, { fs, log })
    expect(report.findings).toEqual([])
    expect(fs.bytesOf(`${directory}/leader-epoch-checkpoint`).toString()).toBe('0\n1\n0 4\n')
    expect(await read(fs)).toHaveLength(11)
  })

  test('gives the records that come back with the log start their epochs again', async () => {
    const { fs } = await trimmed()
    const path = `${directory}/00000000000000000013.log`
    fs.writeBytes(path, fs.bytesOf(path).subarray(0, 59))
    fs.writeBytes('/data/log-start-offset-checkpoint', Buffer.from('0\n1\nt 0\n'))
    expect((await repairLog(directory, { fs, log })).findings).toEqual([])
    expect(fs.bytesOf(`${directory}/leader-epoch-checkpoint`).toString()).toBe('0\n1\n0 4\n')
  })

  test('believes batches more than a checkpoint of epochs that is wrong elsewhere', async () => {
    const shape = await killed()
    const fs = shape.fs.fork()
    fs.writeBytes(`${directory}/00000000000000000000.digest`, Buffer.from('version: 0\n'))
    fs.writeBytes(`${directory}/leader-epoch-checkpoint`, Buffer.from('0\n1\n4 0\n'))
    const report = await repairLog(directory, { fs, log })
    expect(report).toMatchObject({ findings: [], lostOffsets: [] })
    expect(fs.bytesOf(first).equals(shape.fs.bytesOf(first))).toBe(true)
    expect(fs.bytesOf(`${directory}/leader-epoch-checkpoint`).toString()).toBe('0\n1\n0 0\n')
    expect(await faults(fs, directory)).toEqual([])
  })

  test('refuses a plan that was made for another state of the log', async () => {
    const { fs } = await plain('none')
    fs.flipBit(first, 100 * 8)
    const plan = await planRepair(directory, { fs })
    expect(plan.steps.length).toBeGreaterThan(0)
    fs.flipBit(first, 300 * 8)
    const refusal = repairLog(directory, { fs, plan })
    await expect(refusal).rejects.toMatchObject({ code: 'VARVE_REPAIR_PLAN_OUTDATED' })
    expect(fs.openFiles()).toEqual([])
  })

  test('refuses a log that is open', async () => {
    const { fs } = await plain('none')
    const data = await LogDirectory.open('/data', openOptions(fs))
    const refusal = repairLog(directory, { fs })
    await expect(refusal).rejects.toMatchObject({ code: 'VARVE_LOG_LOCKED' })
    await data.close()
  })

  test('can be cut off by a power failure after any call, and be done again', async () => {
    const shape = await plain('none')
    const batches = await batchesOf(shape)
    const hurtOne = shape.fs.fork()
    hurtOne.flipBit(first, 200 * 8)
    hurtOne.flipBit(`${directory}/00000000000000000015.log`, 240 * 8)
    hurtOne.flipBit(`${directory}/00000000000000000008.index`, 5)
    hurtOne.settle()
    const hurts: Hurt[] = [
      { path: first, position: 200, end: 201, what: 'flip' },
      { path: `${directory}/00000000000000000015.log`, position: 240, end: 241, what: 'flip' },
    ]
    const whole = hurtOne.fork()
    await repairLog(directory, { fs: whole, log })
    const random = new Random(seed)
    for (let cut = random.int(3); cut <= whole.operations; cut += 3) {
      const mode = random.pick(['harsh', 'journaled', 'prefix'] as const)
      const variant = { mode, seed: random.next() }
      for (const crashed of [whole.killState(cut), whole.crashState(cut, variant)]) {
        try {
          await repairAndCheck(shape, batches, crashed, hurts)
        } catch (cause) {
          throw new Error(`VARVE_SEED=${seed}, after ${cut} operations`, { cause })
        }
      }
    }
  })
})
