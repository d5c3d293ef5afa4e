import { DirectoryTarget, Repository } from '@varve/backup'
import { cleanerChannels } from '@varve/cleaner'
import { systemClock } from '@varve/log'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test, vi } from 'vitest'
import type {
  CleaningAnswer,
  GroupAnswer,
  GroupsAnswer,
  ServerAnswer,
  TopicAnswer,
  TopicsAnswer,
} from '../../src/ui/answers.ts'
import { BackupAnswers } from '../../src/ui/backup-answers.ts'
import { cleaningAnswer } from '../../src/ui/cleaning-answers.ts'
import { CleaningHistory } from '../../src/ui/cleaning-history.ts'
import { groupsAnswer } from '../../src/ui/group-answers.ts'
import { PartitionAnswers } from '../../src/ui/partition-answers.ts'
import { serverAnswer } from '../../src/ui/server-answers.ts'
import { topicAnswer } from '../../src/ui/topic-answers.ts'
import { ConsumerGroupClient } from '../consumer-group-client.ts'
import { WireClient } from '../wire-client.ts'
import { queryOf, sendAll, withUi } from './ui-fixture.ts'

const values = Array.from({ length: 40 }, (_, index) => `${index} ${'x'.repeat(90)}`)

test('topics are told with what they hold, and found by a part of their names', async () => {
  await withUi(async ({ varve, json }) => {
    await varve.createTopic('orders', { partitions: 2, segmentBytes: 1024 })
    await varve.createTopic('empty', { cleanupPolicy: 'compact' })
    await sendAll(varve, 'orders', values)
    const { topics, leftOut } = await json<TopicsAnswer>('topics')
    expect(leftOut).toBe(0)
    expect(topics.map(({ name }) => name)).toEqual(['empty', 'orders'])
    expect(topics[1]).toMatchObject({ partitions: 2, records: 40, produced: 40, offline: 0 })
    expect(topics[1]?.segments).toBeGreaterThan(4)
    expect(topics[0]).toMatchObject({ cleanupPolicy: ['compact'], records: 0, sizeBytes: 0 })
    const found = await json<TopicsAnswer>('topics?search=ORD')
    expect(found.topics.map(({ name }) => name)).toEqual(['orders'])
    expect((await json<TopicsAnswer>('topics?limit=1')).leftOut).toBe(1)
  })
})

test('segments are told with their offsets and times, the newest where not all are', async () => {
  await withUi(async ({ varve, json }) => {
    await varve.createTopic('t', { segmentBytes: 1024 })
    await sendAll(varve, 't', values)
    const { partitions } = await json<TopicAnswer>('topics/t')
    const { segments = [], segmentCount } = partitions[0] ?? {}
    expect(segments.length).toBe(segmentCount)
    expect(segments.map(({ isActive }) => isActive).indexOf(true)).toBe(segments.length - 1)
    for (const { baseOffset, nextOffset, firstTimestamp, maxTimestamp } of segments) {
      expect(firstTimestamp).toBe(1000 + baseOffset)
      expect(maxTimestamp).toBe(1000 + nextOffset - 1)
    }
    const last = (await json<TopicAnswer>('topics/t?segments=2')).partitions[0]
    expect(last?.segments).toEqual(segments.slice(-2))
    expect(last).toMatchObject({ highWatermark: 40, logStartOffset: 0, compactedTo: null })
  })
})

test('a partition that cannot be used says why, and the others are told', async () => {
  await withUi(async ({ varve, context }) => {
    await varve.createTopic('t', { partitions: 2 })
    await varve.log('t', 0).close()
    const answers = new PartitionAnswers(context)
    const topic = context.parts.topics.topic('t')
    const { partitions } = await topicAnswer(context, answers, topic, queryOf(''))
    expect(partitions[0]?.error).toContain('t-0')
    expect(partitions[1]?.error).toBeNull()
  })
})

test('groups are told with their lag, and looking at none makes no topic for them', async () => {
  await withUi(async ({ varve, json, context }) => {
    await varve.createTopic('t', { partitions: 2 })
    await sendAll(varve, 't', values)
    expect(await groupsAnswer(context, queryOf(''))).toEqual({ groups: [], leftOut: 0 })
    expect(await varve.listTopics({ internal: true })).toEqual(['t'])
    const groups = await varve.groups()
    await groups.resetOffsets('g', [{ topic: 't', partition: 0, offset: 30 }])
    await groups.resetOffsets('h', [{ topic: 'gone', partition: 0, offset: 1 }])
    expect((await json<GroupsAnswer>('groups')).groups).toEqual([
      { group: 'g', state: 'Empty', members: 0, topics: 1, lag: 10 },
      { group: 'h', state: 'Empty', members: 0, topics: 1, lag: null },
    ])
    expect((await json<GroupsAnswer>('groups?topic=t')).groups).toHaveLength(1)
    const { offsets } = await json<GroupAnswer>('groups/g')
    expect(offsets).toMatchObject([{ committedOffset: 30, highWatermark: 40, lag: 10 }])
  })
})

test('members are told with what they read', async () => {
  await withUi(async ({ varve, json }) => {
    await varve.createTopic('t', { partitions: 3 })
    await varve.createTopic('other')
    await sendAll(varve, 't', values)
    const consume = () => varve.consumer({ group: 'g', topics: ['t', 'other'] })
    const readOn = async (consumer: ReturnType<typeof consume>): Promise<void> => {
      for await (const _ of consumer);
    }
    await using first = consume()
    const reading = [readOn(first)]
    const told = async () => {
      const { members } = await json<GroupAnswer>('groups/g')
      return members.map(({ assigned }) => assigned)
    }
    const all = [
      { topic: 'other', partitions: [0] },
      { topic: 't', partitions: [0, 1, 2] },
    ]
    await vi.waitFor(async () => expect(await told()).toEqual([all]))
    await using second = consume()
    reading.push(readOn(second))
    await vi.waitFor(async () => {
      const assigned = (await told()).flatMap((each) => each ?? [])
      const topics = assigned.filter(({ topic }) => topic === 't')
      expect(topics.flatMap(({ partitions }) => partitions).sort()).toEqual([0, 1, 2])
      expect(topics).toHaveLength(2)
    })
    await Promise.all([first.close(), second.close(), ...reading])
  })
})

test('members of the consumer protocol are told with what they were given', async () => {
  await withUi(async ({ varve, server, json }) => {
    await varve.createTopic('t', { partitions: 2 })
    await using client = await WireClient.connect(server.port)
    await new ConsumerGroupClient(client).beat()
    const { state, members } = await json<GroupAnswer>('groups/g')
    expect(state).toBe('Stable')
    expect(members.map(({ assigned }) => assigned)).toEqual([[{ topic: 't', partitions: [0, 1] }]])
  })
})

test('what cleaning would do is told, and what it has done', async () => {
  await withUi(async ({ varve, json, context }) => {
    await varve.createTopic('c', { cleanupPolicy: 'compact', segmentBytes: 1024 })
    await varve.createTopic('r', { retentionBytes: 2048, segmentBytes: 1024 })
    await sendAll(varve, 'c', values)
    await sendAll(varve, 'r', values)
    const before = await json<CleaningAnswer>('cleaning')
    expect(before.logs[0]?.compaction).toMatchObject({ reason: 'dirtyRatio', minDirtyRatio: 0.5 })
    expect(before.logs[1]?.retention.reasons).toContain('retentionTime')
    expect(before.runs).toEqual([])
    const history = new CleaningHistory(systemClock)
    await varve.cleaner.runOnce()
    const after = await json<CleaningAnswer>('cleaning')
    expect(after.logs[0]?.compaction?.reason).toBeNull()
    expect(after.runs.map(({ log, task }) => `${log} ${task}`)).toEqual(
      expect.arrayContaining(['c-0 compaction', 'r-0 retention']),
    )
    expect((await cleaningAnswer(context, history, queryOf(''))).runs).toHaveLength(
      after.runs.length,
    )
    history.close()
    expect(cleanerChannels.retention.hasSubscribers).toBe(true)
    expect(history.runs(() => false)).toEqual([])
  })
  expect(cleanerChannels.retention.hasSubscribers).toBe(false)
})

test('partitions are told in their order, not in that of their digits', async () => {
  await withUi(async ({ varve, json }) => {
    await varve.createTopic('t-1', { partitions: 1 })
    await varve.createTopic('t', { partitions: 12 })
    const { logs } = await json<CleaningAnswer>('cleaning')
    const numbers = Array.from({ length: 12 }, (_, number) => `t-${number}`)
    expect(logs.map(({ log }) => log)).toEqual([...numbers, 't-1-0'])
  })
})

test('a repository is looked at once a minute, and nobody waits for it', async () => {
  const fs = new SimulatedFileSystem()
  await using repository = await Repository.create(new DirectoryTarget('/backup', { fs }))
  await withUi(async ({ varve }) => {
    await varve.createTopic('t')
    await sendAll(varve, 't', ['one'])
    await varve.backup(repository)
    const list = vi.spyOn(repository.target, 'list')
    const answers = new BackupAnswers([repository], systemClock)
    expect(answers.answer().repositories[0]).toMatchObject({ name: '/backup', lookedMs: null })
    const known = await vi.waitFor(() => {
      const [found] = answers.answer().repositories
      expect(found?.lookedMs).not.toBeNull()
      return found
    })
    expect(known).toMatchObject({ error: null, sources: [{ backups: 1, newestVerifiedMs: null }] })
    const looks = list.mock.calls.length
    answers.answer()
    expect(list.mock.calls.length).toBe(looks)
  })
})

test('a repository that cannot be looked at says why', async () => {
  const fs = new SimulatedFileSystem()
  await using repository = await Repository.create(new DirectoryTarget('/backup', { fs }))
  vi.spyOn(repository.target, 'list').mockImplementation(() => {
    throw new Error('the mount is gone')
  })
  const answers = new BackupAnswers([repository], systemClock)
  answers.answer()
  await vi.waitFor(() => {
    expect(answers.answer().repositories[0]?.error).toBe('the mount is gone')
  })
})

test('the server tells its listeners, who is connected, and how it stands', async () => {
  await withUi(async ({ json, server, context }) => {
    await using client = await WireClient.connect(server.port)
    expect(client).toBeDefined()
    const answer = await json<ServerAnswer>('server')
    expect(answer).toMatchObject({ directory: '/data', topics: 0, health: { status: 'ok' } })
    expect(answer.listeners).toMatchObject([{ name: 'PLAINTEXT', connections: 1 }])
    expect(answer.connections).toMatchObject([{ host: '127.0.0.1', listener: 'PLAINTEXT' }])
    const { clock } = context
    expect(serverAnswer(context, clock.monotonic() - 5000).uptimeMs).toBeGreaterThanOrEqual(5000)
  })
})
