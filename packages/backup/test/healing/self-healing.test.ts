import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import {
  CorruptLogError,
  type Log,
  type LogDirectory,
  SegmentPinnedError,
  verifyLog,
} from '@varve/log'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import {
  crc32c,
  endTransactionMarkerBatch,
  RecordBatch,
  RecordBatchBuilder,
  readBatches,
} from '@varve/record'
import { describe, expect, test } from 'vitest'
import { type HealOutcome, SegmentHealer } from '../../src/healing/segment-healer.ts'
import { type HealEvent, healChannel, SelfHealing } from '../../src/healing/self-healing.ts'
import { Repository } from '../../src/repository/repository.ts'
import { appendRecords, cheapPassphrase, compact, dataPath, Machine } from '../backup-fixture.ts'

interface Scene extends AsyncDisposable {
  readonly machine: Machine
  readonly directory: LogDirectory
  readonly log: Log
  readonly repository: Repository
  readonly healer: SegmentHealer
}

/** A log with sealed segments, an aborted transaction in the first, and a backup of it. */
async function openScene(encryption = false): Promise<Scene> {
  const machine = new Machine()
  const directory = await machine.openData()
  const log = await directory.createLog('a', 0)
  const who = { producerId: 7, producerEpoch: 0 }
  const aborted = new RecordBatchBuilder({ ...who, baseSequence: 0, isTransactional: true })
  await log.appendBatch(aborted.append({ value: 'aborted' }).build())
  const marker = { type: 'abort', coordinatorEpoch: 0, timestamp: 1, ...who } as const
  await log.appendBatch(endTransactionMarkerBatch(marker), { origin: 'coordinator' } as never)
  await appendRecords(log, 400)
  await log.settle()
  const repository = await machine.create(encryption ? { encryption: cheapPassphrase } : {})
  await machine.back(repository, directory)
  const healer = new SegmentHealer([repository], { fs: machine.fs })
  const close = () => directory.close()
  return { machine, directory, log, repository, healer, [Symbol.asyncDispose]: close }
}

async function valuesOf(log: Log): Promise<readonly string[]> {
  const values: string[] = []
  const reader = log.reader({ from: 0, isolation: 'committed' })
  for await (const { value } of reader.records()) values.push(String(value))
  return values
}

function first(log: Log) {
  const [segment] = log.segments()
  if (segment === undefined) throw new Error('there is a segment')
  return segment
}

describe('a segment that rotted', () => {
  test('is healed while the log is open, whichever bit it was; readers see nothing of it', async () => {
    const random = new Random(seedFromEnvironment('rot that is healed'))
    await using scene = await openScene()
    const { machine, log, healer } = scene
    const expected = await valuesOf(log)
    expect(expected).toHaveLength(400)
    for (let run = 0; run < 20; run++) {
      const segment = random.pick(log.segments().slice(0, -1))
      const before = machine.fs.bytesOf(segment.path)
      for (let bits = random.between(1, 3); bits > 0; bits--) {
        machine.fs.flipBit(segment.path, random.int(8 * segment.sizeBytes))
      }
      const outcome = await healer.healOpen(log, segment)
      // Twice the same bit is no rot.
      const isRotten = outcome.kind !== 'sound'
      if (isRotten) expect(outcome.kind).toBe('healed')
      expect(machine.fs.bytesOf(segment.path)).toEqual(before)
      expect(await valuesOf(log)).toEqual(expected)
      machine.clock.advance(1000)
    }
    await log.close()
    const findings: unknown[] = []
    for await (const finding of verifyLog(log.directory, { fs: machine.fs })) findings.push(finding)
    expect(findings).toEqual([])
  })

  test('is healed by itself when a reader meets it', async () => {
    await using scene = await openScene()
    const { machine, directory, log, healer } = scene
    const events: HealEvent[] = []
    const listen = (event: unknown) => void events.push(event as HealEvent)
    subscribe(healChannel.name, listen)
    const logAt = (path: string) =>
      [...directory.logs.values()].find((other) => other.directory === path) ?? null
    {
      await using healing = new SelfHealing({ logAt, healer })
      const expected = await valuesOf(log)
      machine.fs.flipBit(first(log).path, 8 * 500)
      await expect(valuesOf(log)).rejects.toThrow(CorruptLogError)
      await healing.settled()
      expect(events).toMatchObject([{ log: 'a-0', outcome: { kind: 'healed' } }])
      expect(await valuesOf(log)).toEqual(expected)
      healing.report(log.segments().at(-1)?.path ?? '')
      healing.report('/elsewhere/00000000000000000000.log')
      healing.report(first(log).path)
      await healing.settled()
      expect(events).toHaveLength(2)
      expect(events[1]?.outcome).toEqual({ kind: 'sound' })
    }
    unsubscribe(healChannel.name, listen)
  })

  test('is healed from an encrypted repository, and not without its key', async () => {
    await using scene = await openScene(true)
    const { machine, log } = scene
    machine.fs.flipBit(first(log).path, 8 * 500)
    const { file, keys } = scene.repository
    const { idKey } = keys.naming
    if (idKey === null) throw new Error('an encrypted repository has a key for names')
    const { repositoryId } = file
    const keyFile = { role: 'writer', repositoryId, idKey, privateKey: null } as const
    const writer = await Repository.open(machine.target, { keyFile })
    const writing = new SegmentHealer([writer], { fs: machine.fs })
    expect((await writing.healOpen(log, first(log))).kind).toBe('refused')
    const unlocked = await Repository.open(machine.target, cheapPassphrase)
    const reading = new SegmentHealer([unlocked], { fs: machine.fs })
    expect((await reading.healOpen(log, first(log))).kind).toBe('healed')
  })

  test('is healed in a closed directory, also where its file was cut', async () => {
    await using scene = await openScene()
    const { machine, log, directory, healer } = scene
    const expected = await valuesOf(log)
    const [one, two, three] = log.segments()
    await directory.close()
    const before = [one, two].map((segment) => machine.fs.bytesOf(segment?.path ?? ''))
    machine.fs.flipBit(one?.path ?? '', 77)
    const file = machine.fs.open(two?.path ?? '', 'write')
    file.truncate(1000)
    file.close()
    const dry = new SegmentHealer([scene.repository], { fs: machine.fs, isDryRun: true })
    const kinds = (outcomes: ReadonlyMap<string, HealOutcome>) =>
      [one, two, three].map((segment) => outcomes.get(segment?.path ?? '')?.kind)
    const wouldBe = ['healed', 'healed', 'sound']
    expect(kinds(await dry.healClosed(`${dataPath}/a-0`))).toEqual(wouldBe)
    expect(machine.fs.bytesOf(two?.path ?? '')).toHaveLength(1000)
    expect(kinds(await healer.healClosed(`${dataPath}/a-0`))).toEqual(wouldBe)
    expect([one, two].map((segment) => machine.fs.bytesOf(segment?.path ?? ''))).toEqual(before)
    await using again = await machine.openData()
    expect(await valuesOf(again.log('a', 0) as Log)).toEqual(expected)
  })
})

describe('nothing takes the place of a segment', () => {
  async function refusalOf(scene: Scene): Promise<string> {
    const { machine, log, healer } = scene
    const { path } = first(log)
    const before = machine.fs.bytesOf(path)
    const outcome = await healer.healOpen(log, first(log))
    expect(machine.fs.bytesOf(path)).toEqual(before)
    return outcome.kind === 'refused' ? outcome.reasons.join('; ') : outcome.kind
  }

  test('that was compacted since', async () => {
    await using scene = await openScene()
    const { machine, log } = scene
    await compact(machine, log, (offset) => offset % 2 > 0)
    machine.fs.flipBit(first(log).path, 8 * 500)
    expect(await refusalOf(scene)).toContain('no backup has this segment')
  })

  test('that has other sound records, unless its digest says that they were not sealed', async () => {
    await using scene = await openScene()
    const { machine, log, healer } = scene
    const { path } = first(log)
    const original = machine.fs.bytesOf(path)
    const changed = Buffer.from(original)
    for (const batch of readBatches(changed)) {
      if (batch.baseOffset !== 9 || !(batch instanceof RecordBatch)) continue
      const [record] = [...batch.records()]
      record?.value?.fill('x')
      batch.stampProducer(0, 0, 0)
      batch.bytes.fill(0xff, 43, 57)
      const crc = crc32c(batch.bytes.subarray(21))
      batch.bytes.writeUInt32BE(crc, 17)
      batch.validate()
    }
    expect(changed).not.toEqual(original)
    machine.fs.writeBytes(path, changed)
    const digestPath = path.replace(/log$/, 'digest')
    machine.fs.flipBit(digestPath, 9)
    expect(await refusalOf(scene)).toContain('another sound batch')
    machine.fs.flipBit(digestPath, 9)
    expect((await healer.healOpen(log, first(log))).kind).toBe('healed')
    expect(machine.fs.bytesOf(path)).toEqual(original)
  })

  test('when the copy is damaged; an older one that is sound is taken', async () => {
    await using scene = await openScene()
    const { machine, log, repository, directory, healer } = scene
    const { backupId } = await machine.back(repository, directory, {
      kind: 'full',
      isIndependent: true,
    })
    const rot = (set: string): void => {
      for (const [path, { isDirectory, sizeBytes }] of machine.fs.tree()) {
        const isDamaged = !isDirectory && path.includes(`/objects/${set}/`) && sizeBytes > 1000
        if (isDamaged) machine.fs.flipBit(path, 8 * 200)
      }
    }
    machine.fs.flipBit(first(log).path, 8 * 500)
    rot(backupId)
    rot('main')
    const refusal = await refusalOf(scene)
    expect(refusal).toContain(backupId)
    rot('main')
    const outcome = await healer.healOpen(log, first(log))
    expect(outcome.kind).toBe('healed')
    expect(outcome).not.toMatchObject({ backupId })
  })

  test('while a snapshot holds it, nor when its own disk fails', async () => {
    await using scene = await openScene()
    const { machine, log, healer } = scene
    machine.fs.flipBit(first(log).path, 8 * 500)
    const before = machine.fs.bytesOf(first(log).path)
    {
      using _ = log.snapshot()
      await expect(healer.healOpen(log, first(log))).rejects.toThrow(SegmentPinnedError)
    }
    machine.fs.injectFault({ kind: 'ENOSPC' })
    await expect(healer.healOpen(log, first(log))).rejects.toThrow(/ENOSPC/)
    machine.fs.clearFaults()
    expect(machine.fs.bytesOf(first(log).path)).toEqual(before)
    expect((await healer.healOpen(log, first(log))).kind).toBe('healed')
  })
})
