import { expect, test } from 'vitest'
import { runAction } from '../../src/ui/ui-actions.ts'
import { UiRequestError } from '../../src/ui/ui-errors.ts'
import { fieldsOf } from '../../src/ui/ui-fields.ts'
import { UiGuard } from '../../src/ui/ui-guard.ts'
import { sendAll, withUi } from './ui-fixture.ts'

const writes = { writes: true }

test('topics are made and deleted, the latter only by their name', async () => {
  await withUi(async ({ change, varve }) => {
    const made = await change('create-topic', {
      topic: 't',
      partitions: 3,
      cleanupPolicy: 'compact',
    })
    expect(made).toMatchObject({ status: 200 })
    expect(JSON.parse(made.text)).toEqual({ done: 'made topic t with 3 partitions' })
    expect((await varve.describeTopic('t')).settings.cleanupPolicy).toEqual(['compact'])
    expect((await change('create-topic', { topic: 't' })).status).toBe(409)
    expect((await change('create-topic', { topic: '../t' })).status).toBe(400)
    expect((await change('delete-topic', { topic: 't' })).status).toBe(400)
    expect((await change('delete-topic', { topic: 't', confirm: 'x' })).status).toBe(400)
    expect((await change('delete-topic', { topic: 't', confirm: 't' })).status).toBe(200)
    expect(await varve.listTopics()).toEqual([])
  }, writes)
})

test('records before an offset are deleted, but none of Kafka’s own topics', async () => {
  await withUi(async ({ change, varve }) => {
    await varve.createTopic('t')
    await sendAll(varve, 't', ['a', 'b', 'c'])
    const asked = { topic: 't', partition: 0, before: 2, confirm: 't' }
    expect(JSON.parse((await change('delete-records', asked)).text)).toEqual({
      done: 'deleted 2 records of t-0',
    })
    expect(varve.log('t', 0).logStartOffset).toBe(2)
    await varve.groups()
    const own = '__consumer_offsets'
    expect((await change('delete-records', { topic: own, confirm: own })).status).toBe(400)
  }, writes)
})

test('offsets of a group are set to the start, the end, an offset or a time', async () => {
  await withUi(async ({ change, varve }) => {
    await varve.createTopic('t', { partitions: 2 })
    await sendAll(varve, 't', ['a', 'b', 'c', 'd'])
    const reset = async (to: string, at: number | null = null): Promise<number | undefined> => {
      const fields = { group: 'g', topic: 't', partition: null, to, at, confirm: 'g' }
      expect((await change('reset-offsets', fields)).status).toBe(200)
      const { offsets } = await (await varve.groups()).describe('g')
      expect(offsets).toHaveLength(2)
      return offsets.find(({ partition }) => partition === 0)?.offset
    }
    expect(await reset('latest')).toBe(4)
    expect(await reset('earliest')).toBe(0)
    expect(await reset('offset', 3)).toBe(3)
    expect(await reset('time', 1002)).toBe(2)
    expect((await change('delete-group', { group: 'g', confirm: 'g' })).status).toBe(200)
    expect(await (await varve.groups()).list()).toEqual([])
    expect((await change('delete-group', { group: 'g', confirm: 'g' })).status).toBe(404)
  }, writes)
})

test('cleaning is run when it is asked for', async () => {
  await withUi(async ({ change, varve }) => {
    await varve.createTopic('t', { segmentBytes: 100, retentionMs: 1 })
    await sendAll(varve, 't', ['a', 'b', 'c'])
    const { text } = await change('run-cleaning', { confirm: 'run' })
    expect(JSON.parse(text).done).toMatch(/^retention deleted [1-9]\d* segments; 0 logs compacted$/)
    expect(varve.log('t', 0).logStartOffset).toBeGreaterThan(0)
  }, writes)
})

test('a change is refused unless the page itself asks for it, with its token', async () => {
  await withUi(async ({ change, varve }) => {
    const refused = async (headers: Record<string, string | undefined>): Promise<number> =>
      (await change('create-topic', { topic: 't' }, headers)).status
    expect(await refused({ origin: 'https://evil.example' })).toBe(403)
    expect(await refused({ origin: 'null' })).toBe(403)
    expect(await refused({ origin: undefined })).toBe(403)
    expect(await refused({ 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await refused({ 'sec-fetch-site': 'none' })).toBe(403)
    expect(await refused({ 'content-type': 'text/plain' })).toBe(415)
    expect(await refused({ 'x-varve-token': 'x'.repeat(32) })).toBe(403)
    expect(await refused({ 'x-varve-token': undefined })).toBe(403)
    expect(await varve.listTopics()).toEqual([])
    expect(await refused({ 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect((await change('format-disk', {})).status).toBe(404)
    expect((await change('constructor', {})).status).toBe(404)
    expect((await change('create-topic', [])).status).toBe(400)
    expect((await change('create-topic', { topic: 'x'.repeat(70_000) })).status).toBe(413)
  }, writes)
})

test('each start of a server has a token of its own', () => {
  expect(new UiGuard().token).not.toBe(new UiGuard().token)
  expect(new UiGuard().token.length).toBeGreaterThanOrEqual(32)
})

test('fields that are not what they should be are refused by name', async () => {
  const fields = fieldsOf({ text: 'a', number: 1, wrong: { a: 1 }, negative: -1 })
  expect(fields.text('text')).toBe('a')
  expect(fields.whole('number')).toBe(1)
  expect(fields.whole('none')).toBeNull()
  expect(() => fields.text('none')).toThrow(UiRequestError)
  expect(() => fields.text('wrong')).toThrow(/wrong must be a text/)
  expect(() => fields.whole('negative')).toThrow(/negative must be a whole number/)
  await withUi(async ({ context }) => {
    await expect(runAction(context, 'toString', {})).rejects.toThrow(UiRequestError)
  })
})
