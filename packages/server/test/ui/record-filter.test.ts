import { systemClock } from '@varve/log'
import { expect, test } from 'vitest'
import { PageReading } from '../../src/ui/page-reading.ts'
import { recordFilter } from '../../src/ui/record-filter.ts'
import { newerRecords, olderRecords, ReadingBudget } from '../../src/ui/record-window.ts'
import { queryOf, sendAll, withUi } from './ui-fixture.ts'

test('without a wish every record is wanted', () => {
  expect(recordFilter(queryOf(''))).toBeNull()
  expect(recordFilter(queryOf('key=&contains='))).toBeNull()
})

test('a search goes on where it ended, in both directions, and knows the end', async () => {
  await withUi(async ({ varve }) => {
    await varve.createTopic('t')
    await sendAll(varve, 't', ['a', 'b', 'a', 'b', 'a'])
    const log = varve.log('t', 0)
    const filter = recordFilter(queryOf('contains=a'))
    const budget = new ReadingBudget(1e6)
    const search = {
      partition: 0,
      log,
      limit: 2,
      filter,
      isolation: 'uncommitted',
      budget,
      reading: new PageReading(systemClock),
    } as const
    const newer = await newerRecords(search, 0)
    expect(newer).toMatchObject({ at: 3, isEnd: false, records: [{ offset: 0 }, { offset: 2 }] })
    expect(await newerRecords(search, newer.at)).toMatchObject({ at: 5, isEnd: true })
    const older = await olderRecords(search, 5)
    expect(older).toMatchObject({ at: 2, isEnd: false, records: [{ offset: 4 }, { offset: 2 }] })
    expect(await olderRecords(search, older.at)).toMatchObject({ at: 0, isEnd: true })
    expect(budget.records).toBeGreaterThan(5)
    expect(budget.spentBytes).toBeGreaterThan(0)
    expect(budget.isSpent).toBe(false)
  })
})
