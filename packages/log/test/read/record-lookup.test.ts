import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import type { ReadRecordOptions } from '../../src/read/record-lookup.ts'
import { createLog, errorOf, range, simulatedPlace } from '../log-fixture.ts'

test('a record is looked for at an offset, by a known isolation', async () => {
  const { log } = await createLog(simulatedPlace())
  await log.append({ value: 'v' })
  for (const offset of [-1, 0.5, Number.NaN, '0' as never]) {
    await errorOf(log.readRecord(offset), InvalidArgumentError)
  }
  await errorOf(log.readRecord(0, { isolation: 'dirty' as never }), InvalidArgumentError)
  const all: ReadRecordOptions[] = [{}, { isolation: 'committed' }, { verifyChecksums: false }]
  for (const options of all) expect((await log.readRecord(0, options))?.offset).toBe(0)
})

test('there is none at the end, and then there is', async () => {
  const { log } = await createLog(simulatedPlace(), { segmentBytes: 2000 })
  for (const offset of range(0, 60)) {
    expect(await log.readRecord(offset)).toBeNull()
    await log.append({ value: `v${offset}`.repeat(20) })
    expect((await log.readRecord(offset))?.offset).toBe(offset)
  }
})
