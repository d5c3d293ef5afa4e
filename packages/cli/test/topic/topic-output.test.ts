import { expect, test } from 'vitest'
import { sayDeletion, sayTopic } from '../../src/topic/topic-output.ts'
import { captureIo } from '../captured-io.ts'

const partition = {
  ...{ partition: 0, logStartOffset: 1, highWatermark: 2000, sizeBytes: 77, segments: 2 },
  error: null,
}
const topic = { name: 't', topicId: 'id', isInternal: false, settings: { retentionMs: 5 } }

async function shown(...partitions: object[]): Promise<string> {
  const io = captureIo()
  await sayTopic(io, false, { ...topic, partitions: partitions as never })
  return io.stdout.text
}

test('a partition is shown as far as it is known', async () => {
  expect(await shown(partition)).toBe(
    't  id\n  retentionMs: 5\n  0: offsets 1 to 2,000, 77 B in 2 segments\n',
  )
  const far = { ...partition, segments: null }
  expect(await shown(far)).toContain('  0: offsets 1 to 2,000, 77 B\n')
  expect(await shown({ ...far, sizeBytes: null })).toContain('  0: offsets 1 to 2,000\n')
  expect(await shown({ ...far, error: 'it is gone' })).toContain('  0: it is gone\n')
})

test('what would go has a size where all of it is known', async () => {
  const planned = async (sizeBytes: number | null): Promise<string> => {
    const io = captureIo()
    await sayDeletion(io, false, {
      name: 't',
      partitions: [partition, { ...partition, sizeBytes }],
    })
    return io.stdout.text
  }
  expect(await planned(23)).toContain('t: 2 partitions, 100 B would be deleted')
  expect(await planned(null)).toContain('t: 2 partitions would be deleted')
})
