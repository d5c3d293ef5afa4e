import { openDataDirectory } from '@varve/broker'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { resourceTypes } from '../../src/administration/config-entry.ts'
import { incrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import { startServer } from '../../src/server.ts'
import { WireClient } from '../wire-client.ts'

test('a directory that goes on without its server has its own settings again', async () => {
  const fs = new SimulatedFileSystem()
  await using varve = await openDataDirectory('/data', { fs, cleaning: false })
  await varve.createTopic('t')
  const retention = async () => (await varve.describeTopic('t')).settings.retentionMs
  const before = await retention()
  const server = await startServer({ varve, port: 0 })
  await using client = await WireClient.connect(server.port)
  const configs = [{ name: 'log.retention.ms', configOperation: 0, value: '5' }]
  await client.call(incrementalAlterConfigs, 1, {
    resources: [{ resourceType: resourceTypes.broker, resourceName: '', configs }],
    validateOnly: false,
  })
  expect(await retention()).toBe(5)
  await server.close()
  expect(await retention()).toBe(before)
})
