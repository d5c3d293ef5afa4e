import { type Log, type LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { drawn } from '../../../record/test/campaign-scale.ts'
import type { Repository } from '../../src/repository/repository.ts'
import { encodeExtent, inlineEncoder } from '../../src/taking/extent-encoder.ts'
import type { ExtentTask } from '../../src/taking/extent-task.ts'
import { appendRecords, compact, Machine, sourceBytes, storedBytes } from '../backup-fixture.ts'

interface Source {
  readonly machine: Machine
  readonly repository: Repository
  readonly directory: LogDirectory
  readonly log: Log
}

async function filled(records = 300): Promise<Source> {
  const machine = new Machine()
  const repository = await machine.create()
  const directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await appendRecords(log, records)
  return { machine, repository, directory, log }
}

test('any bit that is flipped in a sealed segment is found, and the good copy is kept', async () => {
  const { machine, repository, directory, log } = await filled(120)
  const good = sourceBytes(machine, log)
  await machine.back(repository, directory)
  const random = new Random(seedFromEnvironment('rot in a source'))
  const [sealed] = log.segments()
  const { path = '', sizeBytes = 0, nextOffset } = sealed ?? {}
  const header = Array.from({ length: 61 * 8 }, (_, bit) => bit)
  const others = Array.from({ length: 200 }, () => random.int(8 * sizeBytes))
  for (const bit of random.shuffle([...header, ...others]).slice(0, drawn(16, 400))) {
    machine.fs.flipBit(path, bit)
    const report = await machine.back(repository, directory, { kind: 'full' })
    expect(report.gaps, `bit ${bit}`).toEqual([])
    expect(report.findings, `bit ${bit}`).toHaveLength(1)
    expect(report.findings[0]).toMatchObject({ topic: 't', partition: 0, from: 0, to: nextOffset })
    expect((await storedBytes(repository)).get('t-0')?.segments, `bit ${bit}`).toEqual(good)
    machine.fs.flipBit(path, bit)
  }
})

test('damage of which no good copy is there is stored as it is, and is a gap', async () => {
  const { machine, repository, directory, log } = await filled()
  const { path = '', nextOffset } = log.segments()[0] ?? {}
  machine.fs.flipBit(path, 8 * 5000)
  const report = await machine.back(repository, directory)
  expect(report.gaps).toMatchObject([{ topic: 't', partition: 0, from: 0, to: nextOffset }])
  const stored = (await storedBytes(repository)).get('t-0')
  expect(stored?.segments).toEqual(sourceBytes(machine, log))
  expect(stored?.list.segments[0]?.damage).toMatchObject({ position: expect.any(Number) })
  // It is looked at again by the next, and found good when it was mended.
  machine.fs.flipBit(path, 8 * 5000)
  const mended = await machine.back(repository, directory)
  expect(mended.gaps).toEqual([])
  expect((await storedBytes(repository)).get('t-0')?.list.segments[0]?.damage).toBe(null)
})

test('a damaged segment that was compacted since does not get its old records back', async () => {
  const { machine, repository, directory, log } = await filled()
  await machine.back(repository, directory)
  await compact(machine, log, (offset) => offset % 2 === 0)
  const { path = '' } = log.segments()[0] ?? {}
  machine.fs.flipBit(path, 8 * 3000)
  const report = await machine.back(repository, directory)
  expect(report.findings).toEqual([])
  expect(report.gaps).toHaveLength(1)
  expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

test('a segment that cannot be read keeps its good copy, or is a gap', async () => {
  const { machine, repository, directory, log } = await filled()
  const { fs } = machine
  const encoder = inlineEncoder(fs)
  const bad = log.segments()[1]
  const failing = {
    ...encoder,
    encode: async (task: Parameters<typeof encoder.encode>[0]) => {
      const isBad = fs.stat(task.path)?.fileId === fs.stat(bad?.path ?? '')?.fileId
      if (isBad) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
      return encoder.encode(task)
    },
  }
  const first = await machine.back(repository, directory, { encoder: failing })
  expect(first.gaps).toMatchObject([{ from: bad?.baseOffset, to: bad?.nextOffset }])
  const second = await machine.back(repository, directory)
  expect(second.gaps).toEqual([])
  const third = await machine.back(repository, directory, { kind: 'full', encoder: failing })
  expect(third).toMatchObject({ gaps: [], findings: [{ from: bad?.baseOffset }] })
  expect((await storedBytes(repository)).get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

test('what is behind the end of a log that grows is not looked at', async () => {
  const { machine, log } = await filled()
  const last = sourceBytes(machine, log).at(-1) ?? Buffer.alloc(0)
  const { baseOffset = 0 } = log.segments().at(-1) ?? {}
  const progress = { isSealed: false, nextOffset: baseOffset, spine: null, digestPath: null }
  const endOffset = log.logEndOffset
  for (const behind of [0, 1, 7, 8, 11, 12, 16, 17, 60, 61, 100]) {
    const bytes = Buffer.concat([last, last.subarray(0, behind)])
    machine.fs.writeBytes('/tail', bytes)
    const result = encodeExtent(machine.fs, {
      ...taskOf('/tail', bytes.length),
      endOffset,
      progress,
    })
    expect(result, `${behind} bytes behind`).toMatchObject({ damage: null, isEnd: true })
    expect(result.sizeBytes).toBe(last.length)
  }
})

test('a batch that says it is very large gets no memory before it is proven', () => {
  using directory = makeTemporaryDirectory()
  const path = `${directory.path}/segment`
  const header = Buffer.alloc(61)
  const sizeBytes = 300 * 2 ** 20
  header.writeInt32BE(sizeBytes - 12, 8)
  header.writeInt8(2, 16)
  const file = nodeFileSystem.open(path, 'create')
  file.writeSync(header, 0)
  // Sparse: as long as its header says.
  file.truncate(sizeBytes)
  file.close()
  const before = process.memoryUsage().arrayBuffers
  const result = encodeExtent(nodeFileSystem, { ...taskOf(path, sizeBytes), endOffset: 1 })
  expect(result.damage?.reason).toContain('wrong checksum')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 2 ** 20)
})

function taskOf(path: string, limit: number): ExtentTask {
  return {
    ...{ path, fileId: -1, position: 0, limit, endOffset: 0, isRaw: false, objectBytes: 2 ** 20 },
    ...{ known: new BigUint64Array(0), idKey: null, epoch: null, repositoryId: Buffer.alloc(16) },
    progress: { isSealed: false, nextOffset: 0, spine: null, digestPath: null },
  }
}
