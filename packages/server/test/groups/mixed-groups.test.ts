import { decodeAssignment } from '@varve/broker'
import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

/** What a member over the wire is given: it takes part in rebalances until it is told. */
async function given(member: GroupClient): Promise<readonly number[]> {
  for (;;) {
    const joined = await member.join()
    if (joined.errorCode === errorCodes.MEMBER_ID_REQUIRED) continue
    expect(joined.errorCode).toBe(errorCodes.NONE)
    // It is not the one who divides here.
    const synced = await member.sync()
    if (synced.errorCode === errorCodes.REBALANCE_IN_PROGRESS) continue
    expect(synced.errorCode).toBe(errorCodes.NONE)
    const { partitions } = decodeAssignment(synced.assignment)
    const isMore = (await member.beat()) === errorCodes.REBALANCE_IN_PROGRESS
    if (!isMore && partitions.length > 0) return partitions.map(({ partition }) => partition)
    while ((await member.beat()) === errorCodes.NONE) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

test('members of the process and over the wire share a group, through rebalances', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 4 })
  const consumer = server.varve.consumer({ group: 'g', topics: ['t'] })
  await consumer.start()
  expect(consumer.partitions).toHaveLength(4)
  await using client = await WireClient.connect(server.port)
  const member = new GroupClient(client)
  member.protocols = ['cooperative-sticky', 'range']
  const partitions = await given(member)
  expect(partitions).toHaveLength(2)
  await expect.poll(() => consumer.partitions.length).toBe(2)
  const both = [...partitions, ...consumer.partitions.map(({ partition }) => partition)]
  expect(both.sort()).toEqual([0, 1, 2, 3])
  expect(await member.commit(partitions[0] ?? -1, 3)).toBe(errorCodes.NONE)
  // The one of the process has all of it when the other leaves,
  expect(await member.leave()).toBe(errorCodes.NONE)
  await expect.poll(() => consumer.partitions.length).toBe(4)
  // and the other leads when it is alone.
  const again = new GroupClient(client)
  again.protocols = member.protocols
  expect(await given(again)).toHaveLength(2)
  await consumer.close()
  while ((await again.beat()) === errorCodes.NONE);
  const alone = await again.join()
  expect(alone).toMatchObject({ leader: again.memberId, protocolName: 'cooperative-sticky' })
  await again.syncAlone()
})

test('members over the wire go on with their generation when the server is back', async () => {
  const fs = new SimulatedFileSystem()
  const before = await startTestServer({}, fs)
  await before.varve.createTopic('t')
  const client = await WireClient.connect(before.port)
  const member = new GroupClient(client)
  await member.enter()
  await member.syncAlone()
  expect(await member.commit(0, 3)).toBe(errorCodes.NONE)
  await before.close()
  await client[Symbol.asyncDispose]()
  await using after = await startTestServer({}, fs)
  await using other = await WireClient.connect(after.port)
  const again = new GroupClient(other)
  again.memberId = member.memberId
  again.generation = member.generation
  expect(await again.beat()).toBe(errorCodes.NONE)
  expect((await again.committed(0))?.committedOffset).toBe(3)
  expect(await again.commit(0, 4)).toBe(errorCodes.NONE)
  expect(String((await again.sync()).assignment)).toBe('all')
})

test('a server is up before it has read its groups', async () => {
  const fs = new SimulatedFileSystem()
  const before = await startTestServer({}, fs)
  await before.varve.createTopic('t')
  {
    await using client = await WireClient.connect(before.port)
    await new GroupClient(client).commit(0, 3)
  }
  await before.close()
  await using after = await startTestServer({}, fs)
  const { partsOf } = await import('@varve/broker/serving')
  expect(partsOf(after.varve)?.groups.loaded).toBeNull()
})
