import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { ServerState } from '../../src/base/server-state.ts'
import { createAclsHandler } from '../../src/handlers/create-acls.ts'
import { deleteAclsHandler } from '../../src/handlers/delete-acls.ts'
import { describeAclsHandler } from '../../src/handlers/describe-acls.ts'
import { createAcls } from '../../src/protocol/apis/create-acls.ts'
import { deleteAcls } from '../../src/protocol/apis/delete-acls.ts'
import { describeAcls } from '../../src/protocol/apis/describe-acls.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { SecurityStore } from '../../src/security/security-store.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

const creation = {
  ...{ resourceType: 2, resourceName: 'orders', resourcePatternType: 3 },
  ...{ principal: 'User:alice', host: '*', operation: 3, permissionType: 3 },
}
const anything = {
  ...{ resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1 },
  ...{ principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 },
}
const superUsers = ['User:ANONYMOUS']

test.each([0, 1, 2, 3])('rules are created, described and deleted: version %i', async (version) => {
  await using server = await startTestServer({ superUsers })
  await using client = await WireClient.connect(server.port)
  const creations = [creation, { ...creation, operation: 4, permissionType: 2 }]
  const created = await client.call(createAcls, version, { creations })
  expect(created.results.map(({ errorCode }) => errorCode)).toEqual([0, 0])
  const filter = { ...anything, patternTypeFilter: version === 0 ? 3 : 1 }
  const { resources } = await client.call(describeAcls, version, filter)
  expect(resources).toEqual([
    {
      ...{ resourceType: 2, resourceName: 'orders', patternType: 3 },
      acls: [
        { principal: 'User:alice', host: '*', operation: 3, permissionType: 3 },
        { principal: 'User:alice', host: '*', operation: 4, permissionType: 2 },
      ],
    },
  ])
  const filters = [
    { ...filter, operation: 4 },
    { ...filter, principalFilter: 'User:bob' },
  ]
  const deleted = await client.call(deleteAcls, version, { filters })
  expect(deleted.filterResults.map(({ matchingAcls }) => matchingAcls.length)).toEqual([1, 0])
  expect(deleted.filterResults[0]?.matchingAcls[0]).toMatchObject({ operation: 4, errorCode: 0 })
  expect(server.security.listAcls()).toHaveLength(1)
})

test('a rule that cannot be understood spoils no others', async () => {
  await using server = await startTestServer({ superUsers })
  await using client = await WireClient.connect(server.port)
  const creations = [{ ...creation, operation: 1 }, creation, { ...creation, principal: 'alice' }]
  const { results } = await client.call(createAcls, 3, { creations })
  const invalid = errorCodes.INVALID_REQUEST
  expect(results.map(({ errorCode }) => errorCode)).toEqual([invalid, 0, invalid])
  expect(server.security.listAcls()).toHaveLength(1)
  const described = await client.call(describeAcls, 3, { ...anything, resourceTypeFilter: 77 })
  expect(described).toMatchObject({ errorCode: invalid, resources: [] })
  const filters = [{ ...anything, operation: 0 }, anything]
  const { filterResults } = await client.call(deleteAcls, 3, { filters })
  expect(filterResults.map(({ errorCode }) => errorCode)).toEqual([invalid, 0])
  expect(filterResults[1]?.matchingAcls).toHaveLength(1)
})

test('rules are in force for connections that are there', async () => {
  await using server = await startTestServer()
  await using client = await WireClient.connect(server.port)
  await client.call(createAcls, 3, { creations: [creation] })
  const refused = await client.call(createAcls, 3, { creations: [creation] })
  expect(refused.results[0]?.errorCode).toBe(errorCodes.CLUSTER_AUTHORIZATION_FAILED)
  expect((await client.call(describeAcls, 3, anything)).errorCode).toBe(
    errorCodes.CLUSTER_AUTHORIZATION_FAILED,
  )
  const { filterResults } = await client.call(deleteAcls, 3, { filters: [anything] })
  expect(filterResults[0]?.errorCode).toBe(errorCodes.CLUSTER_AUTHORIZATION_FAILED)
  expect(await server.security.removeAcls([{}])).toHaveLength(1)
  expect((await client.call(describeAcls, 3, anything)).errorCode).toBe(0)
})

test('strangers see and change no rules', () => {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  const store = new SecurityStore(ServerState.load(fs, '/data'))
  for (const handlerFor of [createAclsHandler, deleteAclsHandler, describeAclsHandler]) {
    const { isForStrangers, overlaps, versions } = handlerFor(store)
    expect({ isForStrangers, overlaps }).toEqual({ isForStrangers: false, overlaps: false })
    expect(versions).toEqual({ first: 0, last: 3 })
  }
})
