import { expect, test } from 'vitest'
import { hashTree, run } from './captured-io.ts'
import { makeLetters, deadLetterTopic as topic } from './dead-letter-fixture.ts'
import { openData } from './group-fixture.ts'

const deadLetter = (data: string, ...argv: readonly string[]) =>
  run('dead-letter', ...argv, '--data', data)

test('dead letters are listed with where they were and why, and nothing changes', async () => {
  const data = await makeLetters()
  const before = hashTree(data)
  const { stdout } = await deadLetter(data, 'list', topic, '--json')
  const why = { topic: 'orders', attempts: 1, error: 'RangeError: too\nmuch' }
  const sorted = stdout.documents.sort((a, b) => a.deadLetter.partition - b.deadLetter.partition)
  expect(sorted).toMatchObject([
    { partition: 0, key: 'a', deadLetter: { ...why, partition: 0, offset: 0 } },
    { partition: 0, key: 'a', deadLetter: { ...why, partition: 1, offset: 0 } },
  ])
  const { out } = await deadLetter(data, 'list', topic, '--max', '1')
  expect(out).toMatch(/^0\/0 {2}orders-\d offset 0, 1 attempt, \S+Z: RangeError: too much\n$/)
  expect(hashTree(data)).toEqual(before)
})

test('a topic of other records is refused, with and without --json', async () => {
  const data = await makeLetters()
  for (const rest of [[], ['--json']]) {
    const { code, out, err } = await deadLetter(data, 'list', 'orders', ...rest)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toContain("'orders' is no dead-letter topic: it has 2 records, and no dead letter")
  }
})

test('other records among dead letters are counted, not listed', async () => {
  const data = await makeLetters()
  {
    await using varve = await openData(data)
    await varve.producer().send(topic, { value: 'something else' })
  }
  const { code, out, err } = await deadLetter(data, 'list', topic)
  expect(code).toBe(0)
  expect(out.split('\n')).toHaveLength(3)
  expect(err).toBe(`varve: ${topic}: 1 other record, not dead letters\n`)
})

test('a topic that is not there is an error that says which there are', async () => {
  const data = await makeLetters()
  const { code, err } = await deadLetter(data, 'list', 'nobody')
  expect(code).toBe(3)
  expect(err).toBe(
    "varve: there is no topic 'nobody'\n  varve topic list shows those that are there\n",
  )
  const { err: json } = await deadLetter(data, 'list', 'nobody', '--json')
  expect(JSON.parse(json).error.hint).toBe('varve topic list shows those that are there')
})

test('dead letters are replayed with --yes only, and once', async () => {
  const data = await makeLetters()
  const before = hashTree(data)
  const asked = await deadLetter(data, 'replay', topic, '--json')
  expect(asked.stdout.documents).toEqual([{ topic, replayed: 0, deadLetters: { orders: 2 } }])
  expect((await deadLetter(data, 'replay', topic)).out).toBe(
    `${topic}: 2 dead letters of orders\nThose that were not replayed before go back with --yes.\n`,
  )
  expect(hashTree(data)).toEqual(before)
  const replay = ['replay', topic, '--to-original-partition', '--yes']
  const done = await deadLetter(data, ...replay, '--json')
  expect(done.stdout.documents).toEqual([{ topic, replayed: 2, passedOver: 0 }])
  for (const partition of ['0', '1']) {
    const { out } = await run('consume', 'orders', '--data', data, '--partition', partition)
    expect(out).toBe(partition === '0' ? '1\n1\n' : '2\n2\n')
  }
  expect((await deadLetter(data, ...replay)).out).toBe(`${topic}: 0 dead letters replayed\n`)
})

test('no topic is made of a name that was mistyped', async () => {
  const data = await makeLetters()
  const before = hashTree(data)
  for (const argv of [
    ['list', 'other'],
    ['replay', 'other'],
    ['replay', 'other', '--yes'],
  ]) {
    expect((await deadLetter(data, ...argv)).code, argv.join(' ')).toBe(3)
  }
  expect(hashTree(data)).toEqual(before)
  expect((await deadLetter(data, 'list', topic, '--max', '0')).code).toBe(2)
  {
    await using _varve = await openData(data)
    expect((await deadLetter(data, 'list', topic)).code).toBe(0)
    const locked = await deadLetter(data, 'replay', topic, '--yes')
    expect(locked.err).toContain('is locked')
    expect(locked.code).toBe(3)
  }
})
