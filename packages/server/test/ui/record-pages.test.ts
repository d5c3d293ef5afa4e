import { expect, test } from 'vitest'
import type { RecordsAnswer } from '../../src/ui/answers.ts'
import { oneRecord, recordBytes } from '../../src/ui/record-pages.ts'
import { UiRequestError } from '../../src/ui/ui-errors.ts'
import { pageOf, queryOf, sendAll, type UiUser, withUi } from './ui-fixture.ts'

const values = Array.from({ length: 25 }, (_, index) => `v${index}`)

async function withRecords(
  use: (page: (query: string) => Promise<RecordsAnswer>, user: UiUser) => Promise<void>,
): Promise<void> {
  await withUi(async (user) => {
    await user.varve.createTopic('t', { partitions: 2 })
    await sendAll(user.varve, 't', values)
    await sendAll(user.varve, 't', ['other', 'others'], 1)
    const topic = user.context.parts.topics.topic('t')
    await use((query) => pageOf(topic, query), user)
  })
}

function valuesOf({ records }: RecordsAnswer): readonly (string | undefined)[] {
  return records.map(({ value }) => value?.text)
}

/** Every page of a question, one after the other. */
async function allOf(
  page: (query: string) => Promise<RecordsAnswer>,
  query: string,
): Promise<readonly (string | undefined)[]> {
  const all: (string | undefined)[] = []
  let next: string | null = null
  do {
    const answer: RecordsAnswer = await page(next === null ? query : `${query}&next=${next}`)
    all.push(...valuesOf(answer))
    next = answer.next
  } while (next !== null)
  return all
}

test('the newest come first, and page by page nothing is missed or told twice', async () => {
  await withRecords(async (page) => {
    expect(valuesOf(await page('partition=0&limit=3'))).toEqual(['v24', 'v23', 'v22'])
    expect(await allOf(page, 'partition=0&limit=4')).toEqual(values.toReversed())
    const both = await allOf(page, 'limit=7')
    expect(both.toSorted()).toEqual([...values, 'other', 'others'].toSorted())
    expect(both.slice(-4)).toEqual(['v1', 'others', 'v0', 'other'])
  })
})

test('from an offset, from a time, or from the start, the oldest come first', async () => {
  await withRecords(async (page) => {
    expect(valuesOf(await page('partition=0&from=20'))).toEqual(values.slice(20))
    expect(valuesOf(await page('partition=0&time=1022'))).toEqual(['v22', 'v23', 'v24'])
    expect(valuesOf(await page('partition=0&from=9999'))).toEqual([])
    expect(await allOf(page, 'partition=0&from=earliest&limit=6')).toEqual(values)
    expect((await allOf(page, 'from=earliest&limit=5')).slice(0, 3)).toEqual(['v0', 'other', 'v1'])
  })
})

test('records are found by key, by what they contain, and by bytes', async () => {
  await withRecords(async (page) => {
    const ofKey = values.filter((_, index) => index % 3 === 1)
    expect(await allOf(page, 'partition=0&key=k1&limit=2')).toEqual(ofKey.toReversed())
    expect(await allOf(page, 'contains=ther&from=earliest')).toEqual(['other', 'others'])
    expect(await allOf(page, 'contains=0x 76 32 34')).toEqual(['v24'])
    expect(await allOf(page, 'key=nobody')).toEqual([])
    await expect(page('key=0xzz')).rejects.toThrow(UiRequestError)
  })
})

test('what was deleted is not looked for, and nothing is asked of a question that is none', async () => {
  await withRecords(async (page, { varve }) => {
    await varve.log('t', 0).deleteSegmentsBefore(20)
    expect(await allOf(page, 'partition=0&from=3')).toEqual(values.slice(20))
    expect(await allOf(page, 'partition=0&limit=2')).toEqual(values.slice(20).toReversed())
    for (const wrong of ['from=-1', 'from=x', 'partition=1.5', 'isolation=all', 'next=1']) {
      await expect(page(wrong)).rejects.toThrow(UiRequestError)
    }
    await expect(page('partition=7')).rejects.toMatchObject({ code: 'VARVE_TOPIC_NOT_FOUND' })
  })
})

test('records of aborted transactions are left out where only committed ones are wanted', async () => {
  await withUi(async ({ varve, context }) => {
    await varve.createTopic('t')
    await using producer = varve.producer({ transactionalId: 'p' })
    const aborted = await producer.begin()
    await aborted.send('t', { value: 'aborted' })
    await aborted.abort()
    const committed = await producer.begin()
    await committed.send('t', { value: 'committed' })
    await committed.commit()
    const topic = context.parts.topics.topic('t')
    const all = await pageOf(topic, 'from=earliest')
    expect(valuesOf(all)).toEqual(['aborted', 'committed'])
    const some = await pageOf(topic, 'from=earliest&isolation=committed')
    expect(valuesOf(some)).toEqual(['committed'])
    expect(valuesOf(await pageOf(topic, 'isolation=committed'))).toEqual(['committed'])
  })
})

test('one record is told nearly whole, and its bytes are given as they are', async () => {
  await withUi(async ({ varve, context }) => {
    await varve.createTopic('t')
    const value = 'x'.repeat(600_000)
    await sendAll(varve, 't', [value])
    const topic = context.parts.topics.topic('t')
    const [cut] = (await pageOf(topic, '')).records
    expect(cut?.value).toMatchObject({ size: 600_000, shown: 1024 })
    const one = await oneRecord(topic, queryOf('offset=0'))
    expect(one.value).toMatchObject({ size: 600_000, shown: 256 * 1024 })
    expect(String(await recordBytes(topic, queryOf('offset=0')))).toBe(value)
    expect(String(await recordBytes(topic, queryOf('offset=0&part=key')))).toBe('k0')
    await expect(oneRecord(topic, queryOf('offset=1'))).rejects.toMatchObject({ status: 404 })
    await expect(oneRecord(topic, queryOf(''))).rejects.toMatchObject({ status: 400 })
  })
})

test('one question reads a bounded number of bytes, and the next goes on from there', async () => {
  await withUi(async ({ varve, context }) => {
    await varve.createTopic('t')
    const large = 'y'.repeat(900_000)
    await sendAll(varve, 't', ['first', ...Array.from({ length: 30 }, () => large), 'last'])
    const topic = context.parts.topics.topic('t')
    const page = (query: string) => pageOf(topic, query)
    const forward = await page('from=earliest&contains=last')
    expect(forward.records).toEqual([])
    expect(forward.scannedBytes).toBeLessThan(20 * 2 ** 20)
    expect(await allOf(page, 'from=earliest&contains=last')).toEqual(['last'])
    expect(await allOf(page, 'contains=first')).toEqual(['first'])
  })
})

test('what is decompressed counts, and a search among it comes further with each question', async () => {
  await withUi(async ({ varve, context }) => {
    await varve.createTopic('t')
    await using producer = varve.producer({ compression: 'zstd' })
    const large = 'y'.repeat(900_000)
    await producer.send('t', { value: 'first' })
    for (let sent = 0; sent < 120; sent += 8) {
      await Promise.all(Array.from({ length: 8 }, () => producer.send('t', { value: large })))
    }
    const topic = context.parts.topics.topic('t')
    for (const from of ['earliest', 'latest']) {
      const answer = await pageOf(topic, `from=${from}&contains=nobody`)
      expect(answer.scannedRecords).toBeGreaterThan(0)
      expect(answer.scannedBytes).toBeLessThan(64 * 2 ** 20)
    }
    const page = (query: string) => pageOf(topic, query)
    expect(await allOf(page, 'contains=first')).toEqual(['first'])
    expect(await allOf(page, 'from=earliest&contains=nobody')).toEqual([])
  })
})

test('where older records are much larger, they are not all read for one question', async () => {
  await withUi(async ({ varve, context }) => {
    await varve.createTopic('t')
    const large = 'y'.repeat(900_000)
    await sendAll(varve, 't', ['first', ...Array.from({ length: 100 }, () => large)])
    await sendAll(
      varve,
      't',
      Array.from({ length: 12_000 }, () => 'small'),
    )
    const topic = context.parts.topics.topic('t')
    let [next, most, questions]: [string | null, number, number] = ['', 0, 0]
    while (next !== null && questions++ < 50) {
      const answer = await pageOf(topic, `contains=first${next === '' ? '' : `&next=${next}`}`)
      most = Math.max(most, answer.scannedBytes)
      next = answer.records.length > 0 ? null : answer.next
    }
    expect(questions).toBeLessThan(50)
    expect(most).toBeLessThan(64 * 2 ** 20)
  })
})
