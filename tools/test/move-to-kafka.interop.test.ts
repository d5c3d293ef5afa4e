import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mappedOffsets } from '@varve/backup'
import { openDataDirectory, openVarve } from '@varve/broker'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { ClientProgram } from '../src/clients/client-program.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import { type ProcessResult, runProcess } from '../src/kafka/run-process.ts'
import { ServedDirectory, varveCommand } from './clients/served-directory.ts'
import {
  historyTopics,
  makeHistory,
  recordsOf,
  sharedTopic,
  type TopicRecords,
} from './kafka-interop/moved-history.ts'
import { countOf, MovingPrograms, partitionsRead } from './kafka-interop/moving-programs.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/beyond-one-machine.md'), 'utf8')
const names = ['confluent-python', 'kafkajs'] as const
const timeoutMs = 180_000

/** The commands of the page's section, in their order. */
function commandsOfThePage(): readonly string[] {
  const section = /\n## The whole move\n(.*?)\n## /s.exec(page)?.[1] ?? ''
  const blocks = [...section.matchAll(/```sh\n(.*?)\s*```/gs)]
  return blocks.flatMap(([, block = '']) => block.split('\n').map((line) => line.trim()))
}

/** One of them, with a test's own addresses and places. */
async function run(line: string, root: string, kafka: string): Promise<ProcessResult> {
  const words = line
    .replace('kafka://host-1:9092', `kafka://${kafka}`)
    .replace('./data', join(root, 'data'))
    .split(' ')
  expect(words.slice(0, 2)).toEqual(['npx', 'varve'])
  const args = [varveCommand, ...words.slice(2)]
  return await runProcess(process.execPath, args, { timeoutMs: 60_000, cwd: root })
}

describeWithKafka((release) => {
  const root = mkdtempSync(join(tmpdir(), 'varve-move-'))
  const data = join(root, 'data')
  const programs = new Map<string, ClientProgram>()
  const lives: MovingPrograms[] = []
  let broker: KafkaBroker | null = null
  let served: ServedDirectory | null = null

  beforeAll(async () => {
    mkdirSync(data)
    for (const name of names) {
      const found = inject('clientsBeside')[name]
      if (found.available) programs.set(name, found.program)
    }
    await makeHistory(data, new Random(seedFromEnvironment('a move to Kafka')))
    broker = await startBroker(release, { directory: join(root, 'kafka') })
  }, timeoutMs)
  afterAll(async () => {
    await Promise.all(lives.map((life) => life.kill()))
    await served?.stop()
    await broker?.kill()
    rmSync(root, { recursive: true, force: true })
  })

  const why = names.some((name) => inject('clientsBeside')[name].available)
    ? ''
    : ' (skipped: there is no client)'
  test.skipIf(why !== '')(
    `programs of other hands move with their history: each group reads each record once, in order${why}`,
    async () => {
      if (broker === null) throw new Error('it has been started')
      const kafka = broker.bootstrapServers
      const [whileRunning = '', atTheEnd = '', ...more] = commandsOfThePage()
      expect(more).toEqual([])
      served = await ServedDirectory.start({ isTapped: false, directory: data })
      const before = new MovingPrograms(programs, served.bootstrapServers, 'before')
      lives.push(before)
      await before.receives(20)

      const beside = await run(whileRunning, root, kafka)
      expect(beside).toMatchObject({ exitCode: 0, stderr: '' })
      await before.sends(50)
      await before.endMembers()
      await before.sends(50)
      await before.endSenders()
      await served.stop()
      served = null
      const last = await run(atTheEnd, root, kafka)
      expect(last).toMatchObject({ exitCode: 0, stderr: '' })
      const groups = [...programs.keys()].map((name) => `of-${name}`)
      expect(last.stdout).toContain(`groups moved: ${groups.join(', ')}\n`)
      await expectMoved(data, join(root, 'moved.jsonl'), kafka)

      const after = new MovingPrograms(programs, kafka, 'after')
      lives.push(after)
      await after.sends(100)
      await after.endSenders()
      await expectReadOnce(kafka, groups, before, after)
    },
    timeoutMs,
  )
})

/** Each record of the directory is in the cluster once, where the map says, and nothing else is. */
async function expectMoved(data: string, map: string, kafka: string): Promise<void> {
  await using source = await openDataDirectory(data, { cleaning: false })
  await using target = await openVarve(`kafka://${kafka}`)
  for (const [topic] of historyTopics) {
    const [from, to] = [await recordsOf(source, topic), await recordsOf(target, topic)]
    const contents = (records: TopicRecords) =>
      records.map((some) => some.map((one) => one.content))
    expect(contents(to), topic).toEqual(contents(from))
    for (const [partition, records] of from.entries()) {
      expect(records.length).toBeGreaterThan(20)
      const asked = records.map(({ offset }) => ({ topic, partition, offset }))
      expect(await mappedOffsets(map, asked)).toEqual(to[partition]?.map(({ offset }) => offset))
      // Behind each record that is not followed at once there is a gap.
      const gaps = records.filter(({ offset }, index) => records[index + 1]?.offset !== offset + 1)
      const behind = gaps.map(({ offset }) => ({ topic, partition, offset: offset + 1 }))
      const next = await mappedOffsets(map, behind)
      const wanted = gaps.map((record) => {
        const index = records.indexOf(record) + 1
        return to[partition]?.[index]?.offset ?? (to[partition]?.at(-1)?.offset ?? -1) + 1
      })
      expect(next).toEqual(wanted)
    }
  }
}

/** Over both lives each group reads what the cluster has, once and in order, and nothing else. */
async function expectReadOnce(
  kafka: string,
  groups: readonly string[],
  before: MovingPrograms,
  after: MovingPrograms,
): Promise<void> {
  await using target = await openVarve(`kafka://${kafka}`)
  const all = await recordsOf(target, sharedTopic)
  const values = all.flatMap((records) => records.map(({ value }) => value))
  const sent = [...before.sent, ...after.sent]
  expect(values.filter((value) => !value?.startsWith('history-')).sort()).toEqual(sent.sort())
  for (const [index] of groups.entries()) {
    const halves = [before, after].map((life) => life.groups[index] ?? [])
    await halves[1]?.[0]?.until('the rest', () => countOf(halves.flat()) >= values.length, 100)
  }
  await after.endMembers()
  for (const [index, group] of groups.entries()) {
    const read = partitionsRead([before, after].map((life) => life.groups[index] ?? []))
    expect(read, group).toEqual(all.map((records) => records.map(({ value }) => value)))
  }
}
