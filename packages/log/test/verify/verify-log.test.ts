import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { LogDirectory } from '../../src/log-directory.ts'
import { repairLog } from '../../src/repair/repair-log.ts'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '../../src/testing/index.ts'
import type { Finding } from '../../src/verify/finding.ts'
import { type VerifyLogOptions, verifyLog } from '../../src/verify/verify-log.ts'
import { verifyPath } from '../../src/verify/verify-path.ts'
import { fixturesMissing, kafkaFixture, kafkaFixtures } from '../kafka-fixtures.ts'
import { findings, withoutMarker } from '../rot/oracle.ts'
import { directory, killed, legacy, plain, transactional, trimmed } from '../rot/shapes.ts'

const seed = seedFromEnvironment('verify log')
const last = `${directory}/00000000000000000015.log`

async function all(path: string, options: VerifyLogOptions = {}): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for await (const it of verifyPath(path, options)) found.push(it)
  return found
}

describe('verifying', () => {
  test('takes no lock, changes nothing and leaves no file open', async () => {
    const { fs } = await plain('lz4')
    const before = fs.operations
    expect(await findings(fs)).toEqual([])
    expect([fs.operations, fs.openFiles()]).toEqual([before, []])
  })

  test('takes a torn tail after a crash for what it is', async () => {
    const { fs } = await killed()
    const path = `${directory}/00000000000000000011.log`
    const bytes = fs.bytesOf(path)
    fs.writeBytes(path, Buffer.concat([bytes, bytes.subarray(0, 70)]))
    expect(await findings(fs)).toMatchObject([
      { severity: 'warning', code: 'torn-tail', path, position: bytes.length, sizeBytes: 70 },
    ])
    fs.writeBytes(path, Buffer.concat([bytes, Buffer.alloc(4096)]))
    expect(await findings(fs)).toMatchObject([{ severity: 'note', code: 'preallocated', path }])
  })

  test('takes trailing bytes after a clean shutdown for damage', async () => {
    const { fs } = await plain('none')
    fs.writeBytes(last, Buffer.concat([fs.bytesOf(last), Buffer.alloc(10)]))
    const found = await findings(fs)
    expect(found).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'trailing-bytes', path: last }),
    )
  })

  test('says when a log ends below its recovery point', async () => {
    const { fs } = await plain('none')
    fs.writeBytes(last, Buffer.alloc(0))
    expect(await findings(withoutMarker(fs))).toContainEqual(
      expect.objectContaining({ code: 'log-too-short', firstOffset: 15, lastOffset: 17 }),
    )
  })

  test('says when the log begins before its first leader epoch, if Varve has closed it', async () => {
    const { fs } = await trimmed()
    const path = '/data/log-start-offset-checkpoint'
    fs.writeBytes(path, Buffer.from('0\n1\nt 0 6\n'))
    const expected = { severity: 'error', code: 'leader-epochs-mismatch', firstOffset: 4 }
    expect(await findings(fs)).toMatchObject([expected])
    await fs.remove(`${directory}/active-00000000000000000013.digest`)
    expect(await findings(fs)).toEqual([])
  })

  test('says when batches of the old formats have a leader epoch', async () => {
    const { fs } = await legacy(1)
    const path = `${directory}/leader-epoch-checkpoint`
    fs.writeBytes(path, Buffer.from('0\n1\n0 5\n'))
    const expected = { severity: 'error', code: 'leader-epochs-mismatch', path, firstOffset: 4 }
    expect(await findings(fs)).toMatchObject([expected])
  })

  test('says when the log of a segment is gone and its indexes are not', async () => {
    const { fs } = await plain('none')
    await fs.remove(`${directory}/00000000000000000008.log`)
    expect(await findings(fs)).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'segment-missing',
        path: `${directory}/00000000000000000008.index`,
      }),
    )
  })

  test('says when a segment is not the one that was sealed', async () => {
    const { fs } = await plain('none')
    const other = await plain('gzip')
    const path = `${directory}/00000000000000000000.log`
    fs.writeBytes(path, other.fs.bytesOf(path))
    expect(await findings(fs)).toContainEqual(
      expect.objectContaining({ severity: 'error', code: 'digest-mismatch', path }),
    )
  })

  test('finds each kind of derived file out when it belongs to another log', async () => {
    const { fs } = await transactional()
    const other = await plain('none')
    const mixed: readonly (readonly [string, string])[] = [
      ['00000000000000000000.index', '00000000000000000000.index'],
      ['00000000000000000000.timeindex', '00000000000000000000.timeindex'],
      ['00000000000000000005.txnindex', '00000000000000000000.index'],
      ['00000000000000000005.snapshot', '00000000000000000008.snapshot'],
      ['leader-epoch-checkpoint', '00000000000000000000.digest'],
      ['partition.metadata', 'leader-epoch-checkpoint'],
    ]
    for (const [name, from] of mixed) {
      const copy = fs.fork()
      copy.writeBytes(`${directory}/${name}`, other.fs.bytesOf(`${directory}/${from}`))
      const found = (await findings(copy)).filter(({ severity }) => severity === 'error')
      expect(
        found.map(({ path }) => path),
        name,
      ).toEqual([`${directory}/${name}`])
    }
  })

  test('names what interruptions have left, as notes', async () => {
    const { fs } = await plain('none')
    fs.writeBytes(`${directory}/00000000000000000000.log.swap`, Buffer.alloc(3))
    fs.writeBytes(`${directory}/00000000000000000000.index.deleted`, Buffer.alloc(3))
    fs.writeBytes(`${directory}/progress.tmp`, Buffer.alloc(3))
    const found = await findings(fs)
    expect(found.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
      'leftover note',
      'leftover note',
      'leftover note',
    ])
  })

  test('of one file tells only what concerns it', async () => {
    const { fs } = await plain('none')
    const index = `${directory}/00000000000000000008.index`
    fs.flipBit(index, 3)
    fs.flipBit(`${directory}/00000000000000000000.log`, 900)
    const of = (path: string): Promise<readonly Finding[]> => all(path, { fs, settleMs: 0 })
    expect((await of(index)).map(({ path }) => path)).toEqual([index])
    expect(await of(last)).toEqual([])
    expect(await of('/data/recovery-point-offset-checkpoint')).toEqual([])
    fs.writeBytes('/data/strange', Buffer.alloc(3))
    await expect(of('/data/strange')).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
    await expect(of('/data/nothing')).rejects.toMatchObject({ code: 'VARVE_LOG_NOT_FOUND' })
  })

  test('ends in findings, whatever bytes stand in a file', async () => {
    const { fs } = await transactional()
    const random = new Random(seed)
    const paths = [...fs.tree()].filter(([, { isDirectory }]) => !isDirectory)
    for (let round = 0; round < 150; round += 1) {
      const copy = fs.fork()
      const [path, { sizeBytes }] = random.pick(paths)
      const length = random.pick([0, 1, sizeBytes, sizeBytes * 3, random.int(300)])
      copy.writeBytes(path, random.bool(0.3) ? Buffer.alloc(length, 0xff) : random.bytes(length))
      await expect(findings(copy), `VARVE_SEED=${seed} ${path}`).resolves.toBeInstanceOf(Array)
      expect(copy.openFiles()).toEqual([])
    }
  })
})

describe('beside a writer', () => {
  test('finds nothing wrong while records are appended, rolled and deleted', async () => {
    const temporary = makeTemporaryDirectory()
    const path = join(temporary.path, 'data')
    const options = {
      log: { segmentBytes: 20_000, indexIntervalBytes: 100, acks: 'written' },
    } as const
    await using data = await LogDirectory.open(path, options)
    const log = await data.createLog('t', 0)
    let isDone = false
    const write = async (): Promise<void> => {
      const random = new Random(seed)
      for (let round = 0; round < 400; round += 1) {
        await log.append({ value: random.bytes(random.int(2000)) })
        if (round % 40 === 39) await log.flush()
        if (round % 150 === 149) await log.deleteSegmentsBefore(log.logEndOffset - 50)
      }
    }
    const writing = write().finally(() => {
      isDone = true
    })
    let rounds = 0
    while (!isDone) {
      const found: Finding[] = []
      for await (const it of verifyLog(log.directory, { settleMs: 1 })) found.push(it)
      const wrong = found.filter(({ severity }) => severity !== 'note')
      expect(wrong, `VARVE_SEED=${seed}`).toEqual([])
      rounds += 1
    }
    await writing
    expect(rounds).toBeGreaterThan(1)
  })
})

describe.skipIf(fixturesMissing !== null)("a directory of Kafka's", () => {
  test.each(kafkaFixtures())('$name has nothing wrong with it', async ({ directory }) => {
    expect(await all(directory)).toEqual([])
  })

  test('is repaired without a digest or a data directory', async () => {
    const temporary = makeTemporaryDirectory()
    const copy = join(temporary.path, 'txn-0')
    cpSync(kafkaFixture('txn-0').directory, copy, { recursive: true })
    const log = join(copy, '00000000000000000000.log')
    const bytes = readFileSync(log)
    bytes[100] = (bytes[100] ?? 0) ^ 1
    writeFileSync(log, bytes)
    const report = await repairLog(copy)
    expect(report.lostOffsets).toHaveLength(1)
    expect(report.findings).toEqual([])
  })
})
