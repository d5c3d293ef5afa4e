import { expect, test } from 'vitest'
import { MemoryBudget } from '../../src/base/memory-budget.ts'
import { AnswerReading } from '../../src/fetching/answer-reading.ts'
import type { PartitionReading, ReadLimit } from '../../src/fetching/partition-reading.ts'

/** A partition with so many bytes, which are there at once or when `arrive` is called. */
class FakePartition {
  readonly wanted = { maxBytes: 1000 }
  readonly limits: ReadLimit[] = []
  readonly #bytes: number
  readonly #isLater: boolean
  sizeBytes = 0
  readBytes = 0
  arrive: () => void = () => undefined

  constructor(bytes: number, isLater = false) {
    this.#bytes = bytes
    this.#isLater = isLater
  }

  read(limit: ReadLimit): Promise<void> | undefined {
    this.limits.push(limit)
    const found = (): void => {
      const isWhole = limit.isFirstWhole || this.#bytes <= limit.maxBytes
      this.sizeBytes = isWhole ? this.#bytes : 0
      this.readBytes = this.sizeBytes
    }
    if (this.#isLater) {
      return new Promise<void>((resolve) => {
        this.arrive = resolve
      }).then(found)
    }
    found()
    return undefined
  }
}

function readingOf(partitions: FakePartition[], maxBytes: number, budget: MemoryBudget) {
  const turns = { next: () => undefined }
  return new AnswerReading(partitions as unknown as PartitionReading[], maxBytes, budget, turns)
}

test('partitions share what an answer may take, and the first batch of all comes whole', async () => {
  const partitions = [new FakePartition(0), new FakePartition(700, true), new FakePartition(200)]
  const answer = readingOf(partitions, 600, new MemoryBudget(10_000))
  const reading = answer.read()
  partitions[1]?.arrive()
  await reading
  expect(partitions.map(({ limits }) => limits)).toEqual([
    [{ maxBytes: 600, isFirstWhole: true }],
    [{ maxBytes: 600, isFirstWhole: true }],
    [{ maxBytes: 0, isFirstWhole: false }],
  ])
  expect(answer.sizeBytes).toBe(700)
})

test('while others read as much as there is room for, an answer is not begun', async () => {
  const budget = new MemoryBudget(1000)
  const first = new FakePartition(800, true)
  const second = new FakePartition(300)
  const reading = readingOf([first], 5000, budget).read()
  const later = readingOf([second], 5000, budget).read()
  expect(budget.usedBytes).toBe(1000)
  expect(second.limits).toEqual([])
  first.arrive()
  await reading
  await later
  expect(second.sizeBytes).toBe(300)
  expect(budget.usedBytes).toBe(0)
})

test('others have their turn while much is read that is there at once', async () => {
  const mebibyte = 2 ** 20
  const partitions = Array.from({ length: 5 }, () => new FakePartition(mebibyte))
  const reading = readingOf(partitions, 4 * mebibyte, new MemoryBudget(16 * mebibyte)).read()
  const readPartitions = (): number => partitions.filter(({ limits }) => limits.length > 0).length
  expect(readPartitions()).toBe(2)
  let turns = 0
  const isOver = reading?.then(() => true)
  for (let over: unknown = false; over !== true; turns++) {
    over = await Promise.race([isOver, new Promise((resolve) => setImmediate(resolve))])
  }
  expect(turns).toBeGreaterThan(1)
  expect(partitions.map(({ sizeBytes }) => sizeBytes)).toEqual([
    ...Array.from({ length: 4 }, () => mebibyte),
    0,
  ])
})

test('a reading that fails gives its room back', async () => {
  const budget = new MemoryBudget(1000)
  const broken = new FakePartition(1)
  broken.read = () => Promise.reject(new Error('no disk'))
  await expect(readingOf([broken], 5000, budget).read()).rejects.toThrow('no disk')
  expect(budget.usedBytes).toBe(0)
})
