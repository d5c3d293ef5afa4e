import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LogDirectory } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hashTree, run, runWith } from './captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const data = `${temporary.path}/sound`
const firstLog = 'orders-0/00000000000000000000.log'

beforeAll(async () => {
  await using directory = await LogDirectory.open(data)
  const orders = await directory.createLog('orders', 0)
  for (let batch = 0; batch < 12; batch += 1) {
    if (batch === 6) await orders.roll()
    const timestamp = 1_700_000_000_000 + batch
    await orders.append([
      { value: `a${batch}`, timestamp },
      { value: `b${batch}`, timestamp },
    ])
  }
  await directory.createLog('other', 0)
})

function copyData(name: string): string {
  const copy = `${temporary.path}/${name}`
  cpSync(data, copy, { recursive: true })
  return copy
}

/** Changes a byte of the first segment: `at` of its size. */
function damage(copy: string, at = 0.58): void {
  const path = join(copy, firstLog)
  const bytes = readFileSync(path)
  const position = Math.floor(bytes.length * at)
  bytes[position] = (bytes[position] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

describe('varve verify', () => {
  test('finds nothing wrong with a sound directory, and changes nothing', async () => {
    const before = hashTree(data)
    const { code, out } = await run('verify', data)
    expect(code).toBe(0)
    expect(out).toMatch(/^Nothing is wrong: 0 errors, 0 warnings, 0 notes/)
    for (const path of ['orders-0', firstLog, firstLog.replace('.log', '.index')]) {
      expect((await run('verify', join(data, path))).code).toBe(0)
    }
    expect(hashTree(data)).toEqual(before)
  })

  test('prints file, position and offsets of damage, and exits with 1', async () => {
    const copy = copyData('damaged')
    damage(copy)
    const { code, out } = await run('verify', copy)
    expect(code).toBe(1)
    expect(out).toContain(`error: ${copy}/${firstLog}, position`)
    expect(out).toMatch(/offsets \d+ to \d+\n {2}batch-corrupt: /)
    expect(out).toContain('Something is wrong: 1 error')
  })

  test('prints a JSON document for each finding and a summary', async () => {
    const copy = copyData('damaged-json')
    damage(copy)
    const { code, stdout } = await run('verify', copy, '--json')
    expect(code).toBe(1)
    const [found, summary] = stdout.documents
    expect(found).toMatchObject({
      ...{ type: 'finding', severity: 'error', code: 'batch-corrupt' },
      ...{ path: join(copy, firstLog), position: expect.any(Number) },
      ...{ firstOffset: expect.any(Number), lastOffset: expect.any(Number) },
    })
    expect(summary).toMatchObject({ type: 'summary', errors: 1, warnings: 0, path: copy })
  })

  test('says of notes alone that nothing is wrong', async () => {
    const copy = copyData('notes')
    writeFileSync(join(copy, 'orders-0/00000000000000000000.log.deleted'), '')
    const { code, out } = await run('verify', copy)
    expect(code).toBe(0)
    expect(out).toContain('note: ')
  })

  test('refuses what is not there with 3, and a pipe that closes ends it quietly', async () => {
    expect((await run('verify', join(data, 'nothing'))).code).toBe(3)
    const copy = copyData('piped')
    damage(copy)
    expect(await runWith({ closesAfterBytes: 1 }, 'verify', copy)).toMatchObject({ err: '' })
  })

  test('works beside whoever has the log open', async () => {
    const copy = copyData('open')
    await using directory = await LogDirectory.open(copy)
    await directory.log('orders', 0).append({ value: 'more' })
    expect((await run('verify', copy)).code).toBe(0)
  })
})

describe('varve repair', () => {
  test('has nothing to do with a sound directory', async () => {
    const { code, out } = await run('repair', data)
    expect(code).toBe(0)
    expect(out).toContain('orders-0: nothing to repair')
  })

  test('shows its plan and changes nothing without --yes', async () => {
    const copy = copyData('plan')
    damage(copy)
    const before = hashTree(copy)
    const { code, out } = await run('repair', copy)
    expect(code).toBe(1)
    expect(out).toMatch(/remove-bytes: .*\n {4}\d+ bytes are taken out and kept/)
    expect(out).toMatch(/lost: offsets \d+ to \d+\n/)
    expect(out).toContain('--yes')
    expect(hashTree(copy)).toEqual(before)
  })

  test('carries the plan out with --yes, and then nothing is wrong', async () => {
    const copy = copyData('repaired')
    damage(copy)
    const { code, out } = await run('repair', join(copy, 'orders-0'), '--yes')
    expect(code).toBe(0)
    const kept = /kept: (.*\.broken)/.exec(out)?.[1] ?? ''
    expect(existsSync(kept)).toBe(true)
    expect((await run('verify', copy)).code).toBe(0)
    await using directory = await LogDirectory.open(copy)
    const values: string[] = []
    for await (const record of directory.log('orders', 0).reader({ from: 0 }).records()) {
      values.push(String(record.value))
    }
    expect(values).toHaveLength(22)
  })

  test('prints a plan or a report as JSON', async () => {
    const copy = copyData('repaired-json')
    damage(copy)
    const planned = await run('repair', join(copy, 'orders-0'), '--json')
    expect(planned.code).toBe(1)
    expect(planned.stdout.documents).toMatchObject([{ type: 'plan', lostOffsets: [{}] }])
    const repaired = await run('repair', join(copy, 'orders-0'), '--json', '--yes')
    expect(repaired.code).toBe(0)
    expect(repaired.stdout.documents).toMatchObject([{ type: 'report', findings: [] }])
  })

  test('refuses a file as an error of usage, and a log that is open', async () => {
    expect((await run('repair', join(data, firstLog))).code).toBe(2)
    const copy = copyData('locked')
    damage(copy)
    await using _directory = await LogDirectory.open(copy)
    const { code, err } = await run('repair', copy, '--yes')
    expect(code).toBe(3)
    expect(err).toContain('is locked')
  })
})

describe('varve reindex', () => {
  test('makes lost and damaged derived files anew', async () => {
    const copy = copyData('reindexed')
    rmSync(join(copy, 'orders-0/00000000000000000000.index'))
    appendFileSync(join(copy, 'orders-0/00000000000000000000.timeindex'), 'rubbish')
    expect((await run('verify', copy)).code).toBe(1)
    const { code, out } = await run('reindex', copy)
    expect(code).toBe(0)
    expect(out).toContain('00000000000000000000.index')
    expect((await run('verify', copy)).code).toBe(0)
  })

  test('does one segment, and refuses a damaged one', async () => {
    const copy = copyData('one-segment')
    rmSync(join(copy, 'orders-0/00000000000000000000.digest'))
    const { code, stdout } = await run('reindex', join(copy, firstLog), '--json')
    expect(code).toBe(0)
    expect(stdout.documents[0].writtenFiles).toEqual([
      join(copy, firstLog.replace('.log', '.digest')),
    ])
    damage(copy)
    expect((await run('reindex', copy)).code).toBe(3)
  })
})
