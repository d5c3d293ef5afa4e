import { ManualClock } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import { IllegalGenerationError } from '../../src/groups/group-errors.ts'
import { HandlingFailedError } from '../../src/handling/handling-errors.ts'
import { RecordRunner, type RunOptions } from '../../src/handling/record-runner.ts'
import { fixedRetry, noRetry } from '../../src/handling/retry-policy.ts'

interface TestRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: string | null
}

/** Records of one topic; ends after them unless it is kept open. */
async function* recordsOf(
  keys: ReadonlyArray<string | null>,
  partitionOf: (index: number) => number,
  isOpen: boolean,
): AsyncGenerator<TestRecord> {
  const next = new Map<number, number>()
  for (const [index, key] of keys.entries()) {
    const partition = partitionOf(index)
    const offset = next.get(partition) ?? 0
    next.set(partition, offset + 1)
    yield { topic: 't', partition, offset, key }
  }
  if (isOpen) await new Promise(() => undefined)
}

function benchOf(
  keys: ReadonlyArray<string | null>,
  options: RunOptions<TestRecord>,
  { partitions = 1, isOpen = false } = {},
) {
  const clock = new ManualClock()
  const commits: Array<Record<number, number>> = []
  const bench = {
    clock,
    commits,
    commitFailure: null as Error | null,
    runner: new RecordRunner(options, {
      records: recordsOf(keys, (index) => index % partitions, isOpen),
      commit: async (offsets) => {
        if (bench.commitFailure !== null) throw bench.commitFailure
        commits.push(
          Object.fromEntries(offsets.map(({ partition, offset }) => [partition, offset])),
        )
      },
      clock,
      random: () => 0.5,
    }),
  }
  return bench
}

const turns = async (count = 5) => {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

test('records are handled one by one in order, and committed at the end', async () => {
  const seen: number[] = []
  let running = 0
  const { runner, commits } = benchOf(['a', 'b', 'c', 'd'], {
    handler: async ({ offset }) => {
      running += 1
      expect(running).toBe(1)
      await turns(1)
      seen.push(offset)
      running -= 1
    },
  })
  await runner.run()
  expect(seen).toEqual([0, 1, 2, 3])
  expect(commits).toEqual([{ 0: 4 }])
})

test('so many are handled at once as is allowed, and those of a key keep their order', async () => {
  const keys = Array.from({ length: 60 }, (_, index) => `k${index % 7}`)
  const seen = new Map<string, number[]>()
  let running = 0
  let most = 0
  const { runner, commits } = benchOf(keys, {
    concurrency: 4,
    order: 'key',
    handler: async ({ key, offset }) => {
      running += 1
      most = Math.max(most, running)
      await turns(1 + (offset % 3))
      seen.set(key ?? '', [...(seen.get(key ?? '') ?? []), offset])
      running -= 1
    },
  })
  await runner.run()
  expect(most).toBe(4)
  for (const offsets of seen.values()) {
    expect(offsets).toEqual([...offsets].sort((one, other) => one - other))
  }
  expect(commits.at(-1)).toEqual({ 0: 60 })
})

test('by default partitions go side by side, each in order', async () => {
  const seen: string[] = []
  const { runner } = benchOf(
    ['a', 'b', 'c', 'd'],
    {
      concurrency: 2,
      handler: async ({ partition, offset }) => {
        await turns(partition === 0 ? 3 : 1)
        seen.push(`${partition}@${offset}`)
      },
    },
    { partitions: 2 },
  )
  await runner.run()
  expect(seen.indexOf('0@0')).toBeLessThan(seen.indexOf('0@1'))
  expect(seen.indexOf('1@0')).toBeLessThan(seen.indexOf('1@1'))
  expect(seen[0]).toBe('1@0')
})

test('what is below a record that is still being handled is all that is committed', async () => {
  const slow = deferred()
  const { runner, clock, commits } = benchOf(['a', 'b', 'c'], {
    concurrency: 3,
    order: 'key',
    handler: ({ key }) => (key === 'b' ? slow.promise : undefined),
  })
  const running = runner.run()
  await turns()
  clock.advance(5000)
  await turns()
  expect(commits).toEqual([{ 0: 1 }])
  slow.resolve()
  await running
  expect(commits.at(-1)).toEqual({ 0: 3 })
})

test('a record that the policy gives up goes to the dead letters, and the run goes on', async () => {
  const dead: unknown[] = []
  const { runner, clock, commits } = benchOf(['a', 'b', 'c'], {
    handler: ({ key }) => {
      if (key === 'b') throw new Error('bad')
    },
    retry: fixedRetry({ delayMs: 10, maxAttempts: 3 }),
    deadLetter: async ({ offset }, { attempts, error }) => {
      dead.push([offset, attempts, (error as Error).message])
    },
  })
  const running = runner.run()
  for (let round = 0; round < 5; round++) {
    await turns()
    clock.advance(10)
  }
  await running
  expect(dead).toEqual([[1, 3, 'bad']])
  expect(commits.at(-1)).toEqual({ 0: 3 })
})

test('without dead letters the run ends, and the record is not committed', async () => {
  const { runner, commits } = benchOf(['a', 'b', 'c'], {
    concurrency: 2,
    order: 'key',
    retry: noRetry,
    handler: ({ key }) => {
      if (key === 'b') throw new Error('bad')
    },
  })
  const error = await runner.run().then(
    () => null,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(HandlingFailedError)
  expect(error).toMatchObject({ topic: 't', partition: 0, offset: 1, attempts: 1 })
  expect(commits).toEqual([{ 0: 1 }])
})

test('stopping lets what is being handled end, and drops what waits', async () => {
  const seen: number[] = []
  const slow = deferred()
  const { runner, commits } = benchOf(
    ['a', 'b', 'c'],
    {
      handler: async ({ offset }, { signal }) => {
        seen.push(offset)
        await slow.promise
        expect(signal.aborted).toBe(true)
      },
    },
    { isOpen: true },
  )
  const running = runner.run()
  await turns()
  runner.stop()
  slow.resolve()
  await running
  expect(seen).toEqual([0])
  expect(commits).toEqual([{ 0: 1 }])
})

test('a partition that is released is waited for, committed, and none of it is handled later', async () => {
  const seen: string[] = []
  const slow = deferred()
  const { runner, commits } = benchOf(
    ['a', 'b', 'c', 'd'],
    {
      concurrency: 2,
      handler: async ({ partition, offset }) => {
        seen.push(`${partition}@${offset}`)
        if (partition === 0 && offset === 0) await slow.promise
      },
    },
    { partitions: 2, isOpen: true },
  )
  const running = runner.run()
  await turns()
  let isReleased = false
  const releasing = runner.release([{ topic: 't', partition: 0 }]).then(() => {
    isReleased = true
  })
  await turns()
  expect(isReleased).toBe(false)
  slow.resolve()
  await releasing
  expect(seen.sort()).toEqual(['0@0', '1@0', '1@1'])
  expect(commits).toEqual([{ 0: 1, 1: 2 }])
  runner.stop()
  await running
})

test('partitions that are lost are neither handled nor committed any more, and the run goes on', async () => {
  const seen: string[] = []
  const slow = deferred()
  const bench = benchOf(
    ['a', 'b', 'c', 'd'],
    {
      concurrency: 2,
      handler: async ({ partition, offset }) => {
        seen.push(`${partition}@${offset}`)
        if (partition === 0) await slow.promise
      },
    },
    { partitions: 2, isOpen: true },
  )
  const running = bench.runner.run()
  await turns()
  bench.commitFailure = new IllegalGenerationError('g', 1, 2)
  bench.clock.advance(5000)
  await turns()
  bench.runner.lose([{ topic: 't', partition: 0 }])
  slow.resolve()
  await turns()
  bench.commitFailure = null
  bench.clock.advance(5000)
  await turns()
  bench.runner.stop()
  await running
  expect(seen.sort()).toEqual(['0@0', '1@0', '1@1'])
  expect(bench.commits).toEqual([{ 1: 2 }])
})

test('a commit that fails ends the run', async () => {
  const bench = benchOf(['a'], { handler: () => undefined })
  bench.commitFailure = new Error('fenced')
  await expect(bench.runner.run()).rejects.toThrow('fenced')
  expect(() => benchOf([], { handler: () => undefined, concurrency: 0 })).toThrow(
    InvalidArgumentError,
  )
})

test('reading does not run ahead of handling without bound', async () => {
  let read = 0
  async function* endless(): AsyncGenerator<TestRecord> {
    for (;;) yield { topic: 't', partition: 0, offset: read++, key: 'k' }
  }
  const slow = deferred()
  const clock = new ManualClock()
  const runner = new RecordRunner<TestRecord>(
    { handler: () => slow.promise, concurrency: 2 },
    { records: endless(), commit: async () => undefined, clock, random: () => 0 },
  )
  const running = runner.run()
  await turns(50)
  expect(read).toBeLessThan(50)
  runner.stop()
  slow.resolve()
  await running
})

function deferred(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve: () => resolve() }
}
