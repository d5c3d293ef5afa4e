import { openDataDirectory } from '@varve/broker'
import { partsOf } from '@varve/broker/serving'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { BrokerSettings } from '../../src/administration/broker-settings.ts'
import type { ConfigOperation } from '../../src/administration/topic-changes.ts'
import { CorruptServerStateError, RequestRefusedError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'

const now = { isReplacement: false, validateOnly: false }

function set(name: string, value: string | null): ConfigOperation {
  return { name, value, operation: value === null ? 'delete' : 'set' }
}

async function open(fs: SimulatedFileSystem) {
  const directoryOptions = { fs, cleaning: false, topicDefaults: { segmentMs: 77 } } as const
  const varve = await openDataDirectory('/data', directoryOptions)
  const parts = partsOf(varve)
  if (parts === null) throw new Error('it is a data directory')
  const { topics } = parts
  const state = ServerState.load(fs, '/data')
  const warnings: Error[] = []
  const settings = await BrokerSettings.load(state, topics, (error) => warnings.push(error))
  return { varve, topics, state, settings, warnings }
}

test('what is set holds for topics at once, and after a restart, and no longer than served', async () => {
  const fs = new SimulatedFileSystem()
  const first = await open(fs)
  await first.varve.createTopic('plain')
  await first.varve.createTopic('own', { retentionMs: 5 })
  await first.settings.alter('allBrokers', [set('log.retention.ms', '1000')], now)
  await first.settings.alter('broker', [set('log.retention.ms', '2000')], now)
  const retention = async ({ varve }: typeof first, topic: string) =>
    (await varve.describeTopic(topic)).settings.retentionMs
  expect(await retention(first, 'plain')).toBe(2000)
  expect(await retention(first, 'own')).toBe(5)
  expect(first.settings.valuesOf('log.retention.ms')).toEqual([
    { name: 'log.retention.ms', value: '2000', source: 2 },
    { name: 'log.retention.ms', value: '1000', source: 3 },
  ])
  await first.varve.close()

  const second = await open(fs)
  expect(await retention(second, 'plain')).toBe(2000)
  await second.settings.alter('broker', [set('log.retention.ms', null)], now)
  expect(await retention(second, 'plain')).toBe(1000)
  expect((await second.varve.describeTopic('plain')).settings.segmentMs).toBe(77)
  await second.settings.end()
  expect(await retention(second, 'plain')).toBe(7 * 86_400_000)
  await second.varve.close()
})

test('a replacement sets back what it does not name, and looking changes nothing', async () => {
  const { settings, topics, varve } = await open(new SimulatedFileSystem())
  await settings.alter('broker', [set('log.segment.bytes', '1000')], now)
  const replacing = [set('log.retention.ms', '9')]
  await settings.alter('broker', replacing, { isReplacement: true, validateOnly: true })
  expect(topics.settings.defaults).toEqual({ segmentMs: 77, segmentBytes: 1000 })
  await settings.alter('broker', replacing, { isReplacement: true, validateOnly: false })
  expect(topics.settings.defaults).toEqual({ segmentMs: 77, retentionMs: 9 })
  expect(settings.names('broker')).toEqual(['log.retention.ms'])
  await varve.close()
})

test.each([
  ['num.partitions', '5'],
  ['nonsense', '1'],
  ['__proto__', '1'],
  ['log.retention.ms', 'x'],
  ['log.retention.ms', '-2'],
  ['min.insync.replicas', '0'],
  ['leader.replication.throttled.rate', 'fast'],
  ['group.consumer.assignment.interval.ms', '15001'],
  ['group.consumer.assignment.interval.ms', '-1'],
  ['group.consumer.session.timeout.ms', '50000'],
])('%s = %s is refused', async (name, value) => {
  const { settings, varve } = await open(new SimulatedFileSystem())
  for (const validateOnly of [true, false]) {
    const altering = settings.alter('broker', [set(name, value)], { ...now, validateOnly })
    await expect(altering).rejects.toThrow(RequestRefusedError)
  }
  expect(settings.names('broker')).toEqual([])
  await varve.close()
})

test('what tools set that move replicas is kept', async () => {
  const { settings, varve } = await open(new SimulatedFileSystem())
  const names = ['leader.replication.throttled.rate', 'min.insync.replicas']
  await settings.alter(
    'allBrokers',
    names.map((name) => set(name, '5')),
    now,
  )
  expect(settings.names('allBrokers')).toEqual(names)
  await varve.close()
})

test('what does not fit a topic is refused, and told of where it is stored all the same', async () => {
  const fs = new SimulatedFileSystem()
  const { settings, state, varve } = await open(fs)
  await varve.createTopic('t', { maxCompactionLagMs: 5 })
  const lag = [set('log.cleaner.min.compaction.lag.ms', '6')]
  await expect(settings.alter('broker', lag, now)).rejects.toThrow(/maxCompactionLagMs/)
  await state.update('brokerSettings', () => ({
    broker: { 'log.cleaner.min.compaction.lag.ms': '6' },
    allBrokers: {},
  }))
  await varve.close()
  const again = await open(fs)
  expect(again.warnings).toHaveLength(1)
  expect(again.topics.settings.defaults).toEqual({ segmentMs: 77 })
  await again.varve.close()
})

test('a section that holds anything else is damage', async () => {
  const fs = new SimulatedFileSystem()
  const { state, varve } = await open(fs)
  await state.update('brokerSettings', () => ({ broker: { a: 5 }, allBrokers: {} }))
  await varve.close()
  await expect(open(fs)).rejects.toThrow(CorruptServerStateError)
})
