import { openDataDirectory } from '@varve/broker'
import { partsOf, silentLogger } from '@varve/broker/serving'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import type { Administration } from '../../src/administration/administration.ts'
import { alterResource } from '../../src/administration/config-alteration.ts'
import { resourceTypes } from '../../src/administration/config-entry.ts'
import type { Operation } from '../../src/base/access.ts'
import type { Call } from '../../src/base/api-handler.ts'
import type { ServerContext } from '../../src/base/server-context.ts'

const change = {
  operations: [{ name: 'retention.ms', operation: 'set', value: '5' }],
  ...{ isReplacement: false, isNamedTwice: false, validateOnly: false },
} as const
const ofTopic = { resourceType: resourceTypes.topic, resourceName: 't', ...change }

/** Who may do only these, and what of it was asked for. */
function callerWho(...allowed: Operation[]) {
  const asked: string[] = []
  const call = {
    client: { principal: 'User:someone' },
    may: (operation: Operation, type: string, name: string) => {
      asked.push(`${operation} ${type} ${name}`)
      return allowed.includes(operation)
    },
  } as unknown as Call
  return { call, asked }
}

async function withTopic() {
  const varve = await openDataDirectory('/data', { fs: new SimulatedFileSystem(), cleaning: false })
  await varve.createTopic('t')
  const parts = partsOf(varve)
  const server = { parts, options: { nodeId: 1 }, logger: silentLogger } as unknown as ServerContext
  return { varve, server }
}

const nobodys = {} as Administration

test('the right to alter a topic’s settings is asked for before anything is told of it', async () => {
  const { varve, server } = await withTopic()
  const { call, asked } = callerWho('describe', 'alter')
  for (const resourceName of ['t', 'nope', 'a b']) {
    const altering = alterResource(server, nobodys, call, { ...ofTopic, resourceName })
    await expect(altering).rejects.toMatchObject({ kafkaErrorCode: 29 })
  }
  expect(asked).toEqual(['t', 'nope', 'a b'].map((name) => `alterConfigs topic ${name}`))
  expect((await varve.describeTopic('t')).settings.retentionMs).not.toBe(5)
  await alterResource(server, nobodys, callerWho('alterConfigs').call, ofTopic)
  expect((await varve.describeTopic('t')).settings.retentionMs).toBe(5)
  await varve.close()
})

test('the broker’s settings are altered by who may alter those of the cluster', async () => {
  const { varve, server } = await withTopic()
  const { call, asked } = callerWho()
  const ofBroker = { ...ofTopic, resourceType: resourceTypes.broker, resourceName: '1' }
  const altering = alterResource(server, nobodys, call, ofBroker)
  await expect(altering).rejects.toMatchObject({ kafkaErrorCode: 31 })
  expect(asked).toEqual(['alterConfigs cluster kafka-cluster'])
  await varve.close()
})

test('what is named twice is not changed, the resource or a setting of it', async () => {
  const { varve, server } = await withTopic()
  const { call } = callerWho('alterConfigs')
  const [operation] = change.operations
  for (const wrong of [{ isNamedTwice: true }, { operations: [operation, operation] }]) {
    const altering = alterResource(server, nobodys, call, { ...ofTopic, ...wrong })
    await expect(altering).rejects.toMatchObject({ kafkaErrorCode: 42 })
  }
  await varve.close()
})
