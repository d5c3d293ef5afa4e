import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { type ConfigValue, configSources } from '../../src/administration/config-entry.ts'
import { GroupConfigs } from '../../src/administration/group-configs.ts'
import type { ConfigOperation } from '../../src/administration/topic-changes.ts'
import { resolveConsumerGroupServingOptions } from '../../src/base/consumer-group-options.ts'
import { CorruptServerStateError, RequestRefusedError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'

const options = { ...resolveConsumerGroupServingOptions({}), groupSizeMax: 7 }
const untold = { valuesOf: () => [] }
const session = 'consumer.session.timeout.ms'
const altering = { isReplacement: false, validateOnly: false }

function stateOf(fs: SimulatedFileSystem): ServerState {
  fs.makeDirectory('/data')
  return ServerState.load(fs, '/data')
}

function set(name: string, value: string | null): ConfigOperation {
  return { name, value, operation: 'set' }
}

test('a group is led as the broker says, or as it was told, after a restart too', async () => {
  const fs = new SimulatedFileSystem()
  const configs = GroupConfigs.load(stateOf(fs), options, untold)
  const usual = { sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000 }
  expect(configs.settingsOf('g')).toEqual({
    ...{ ...usual, assignmentIntervalMs: 1_000, membersMax: 2 ** 31 - 1 },
    ...{ migrationPolicy: 'bidirectional', classicMembersMax: 7 },
  })
  await configs.alter('g', [set(session, '50000')], altering)
  expect(configs.settingsOf('g').sessionTimeoutMs).toBe(50_000)
  expect(configs.settingsOf('h').sessionTimeoutMs).toBe(45_000)
  const again = GroupConfigs.load(ServerState.load(fs, '/data'), options, untold)
  expect(again.groups).toEqual(['g'])
  const [entry] = again.entries('g').filter(({ name }) => name === session)
  expect(entry).toMatchObject({ value: '50000', source: configSources.group, isReadOnly: false })
  expect(entry?.synonyms).toHaveLength(2)
  await again.alter('g', [{ name: session, value: null, operation: 'delete' }], altering)
  expect(again.groups).toEqual([])
})

test.each([
  [session, '44999'],
  [session, '60001'],
  [session, 'x'],
  [session, null],
  ['consumer.heartbeat.interval.ms', '4999'],
  ['consumer.assignment.interval.ms', '15001'],
  ['share.session.timeout.ms', '45000'],
])('%s of %j is refused, and nothing has changed', async (name, value) => {
  const configs = GroupConfigs.load(stateOf(new SimulatedFileSystem()), options, untold)
  await expect(configs.alter('g', [set(name, value)], altering)).rejects.toThrow(
    RequestRefusedError,
  )
  await expect(configs.alter('', [], altering)).rejects.toThrow(RequestRefusedError)
  await configs.alter('g', [set(session, '50000')], { ...altering, validateOnly: true })
  expect(configs.groups).toEqual([])
})

test('what is stored and cannot be is told', async () => {
  const state = stateOf(new SimulatedFileSystem())
  await state.update('groupConfigs', () => ({ g: { other: 'x' } }))
  expect(() => GroupConfigs.load(state, options, untold)).toThrow(CorruptServerStateError)
})

test('a group without settings of its own follows what the broker is told meanwhile', () => {
  const name = 'group.consumer.assignment.interval.ms'
  const told: ConfigValue[] = []
  const broker = { valuesOf: (asked: string) => told.filter((each) => each.name === asked) }
  const configs = GroupConfigs.load(stateOf(new SimulatedFileSystem()), options, broker)
  expect(configs.settingsOf('g').assignmentIntervalMs).toBe(1_000)
  told.push({ name, value: '1500', source: configSources.broker })
  expect(configs.settingsOf('g').assignmentIntervalMs).toBe(1_500)
  const entry = configs.entries('g').find((each) => each.synonyms.some((one) => one.name === name))
  expect(entry).toMatchObject({ value: '1500', source: configSources.broker })
  expect(entry?.synonyms.map(({ value }) => value)).toEqual(['1500', '1000'])
})
