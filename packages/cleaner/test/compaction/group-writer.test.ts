import { verifyLog } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { RecordBatchBuilder } from '@varve/record'
import { expect, test } from 'vitest'
import type { CompactionTask } from '../../src/compaction/compaction-task.ts'
import { GroupWriter, removeCleaned } from '../../src/compaction/group-writer.ts'

function taskOf(changes: Partial<CompactionTask> = {}): CompactionTask {
  return {
    log: 't-0',
    directory: '/t-0',
    segments: [],
    firstDirtyOffset: 0,
    producers: [],
    abortedLater: [],
    nowMs: 0,
    deleteRetentionMs: 0,
    recordTtlMs: -1,
    segmentBytes: 1 << 20,
    segmentIndexBytes: 1 << 20,
    indexIntervalBytes: 4096,
    mapBytes: 1000,
    seed: new Uint8Array(16),
    ioBytesPerSecond: 0,
    restMs: 0,
    isDryRun: false,
    ...changes,
  }
}

function directory(): SimulatedFileSystem {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/t-0')
  return fs
}

function batchAt(baseOffset: number) {
  const builder = new RecordBatchBuilder({ baseOffset }).append({
    key: 'k',
    value: `${baseOffset}`,
  })
  return { batch: builder.build(), aborted: null }
}

/** Puts the cleaned segments in place, and returns where they begin and end. */
async function finish(fs: SimulatedFileSystem, writer: GroupWriter, nextOffset: number) {
  const cleaned = await writer.finish(nextOffset)
  for (const name of fs.list('/t-0'))
    fs.rename(`/t-0/${name}`, `/t-0/${name.replace('.cleaned', '')}`)
  for await (const finding of verifyLog('/t-0', { fs })) {
    if (finding.severity === 'error') throw new Error(finding.message)
  }
  return cleaned.map(({ info }) => [info.baseOffset, info.nextOffset])
}

test('what outgrows one segment goes into several that follow each other', async () => {
  const fs = directory()
  const writer = new GroupWriter(fs, taskOf({ outputBytesMax: 200 }), 0)
  for (const offset of [3, 4, 9, 20, 21]) await writer.append(batchAt(offset))
  expect(writer.sizeBytes).toBeGreaterThan(300)
  expect(await finish(fs, writer, 30)).toEqual([
    [0, 9],
    [9, 21],
    [21, 30],
  ])
})

test('so does what has more index entries than one segment may have', async () => {
  const fs = directory()
  const task = taskOf({ segmentIndexBytes: 48, indexIntervalBytes: 0 })
  const writer = new GroupWriter(fs, task, 0)
  for (let offset = 0; offset < 10; offset++) await writer.append(batchAt(offset))
  expect((await finish(fs, writer, 10)).length).toBeGreaterThan(2)
})

test('a gap wider than a segment can cover gets segments of its own', async () => {
  const fs = directory()
  const writer = new GroupWriter(fs, taskOf(), 0)
  await writer.append(batchAt(5))
  const end = 2 ** 33
  const spans = await finish(fs, writer, end)
  expect(spans[0]?.[0]).toBe(0)
  expect(spans.at(-1)?.[1]).toBe(end)
  for (const [index, span] of spans.entries()) {
    expect(span[0]).toBe(index === 0 ? 0 : spans[index - 1]?.[1])
  }
})

test('unfinished output is removed, unless an exchange is under way', async () => {
  const fs = directory()
  const put = (name: string) => fs.open(`/t-0/${name}`, 'create').close()
  const [cleaned, swap] = ['00000000000000000000.log.cleaned', '00000000000000000005.log.swap']
  for (const name of [cleaned, swap, '00000000000000000000.log']) put(name)
  expect(await removeCleaned(fs, '/t-0')).toBe(false)
  expect(fs.list('/t-0')).toHaveLength(3)
  await fs.remove(`/t-0/${swap}`)
  expect(await removeCleaned(fs, '/t-0')).toBe(true)
  expect(fs.list('/t-0')).toEqual(['00000000000000000000.log'])
})
