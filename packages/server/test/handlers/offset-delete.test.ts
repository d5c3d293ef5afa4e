import { expect, test } from 'vitest'
import { offsetDelete } from '../../src/protocol/apis/offset-delete.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'
import { GroupClient } from '../groups-client.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'

test('offsets are forgotten of topics that no member reads', async () => {
  await using server = await startTestServer()
  await server.varve.createTopic('t', { partitions: 2 })
  await using client = await WireClient.connect(server.port)
  const forget = async (groupId: string, ...names: string[]) => {
    const topics = names.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const { errorCode, topics: answers } = await client.call(offsetDelete, 0, { groupId, topics })
    return [errorCode, ...answers.map(({ partitions }) => partitions[0]?.errorCode)]
  }
  const member = new GroupClient(client)
  await member.commit(0, 1)
  await member.commit(1, 1)
  await member.enter()
  await member.syncAlone()
  expect(await forget('g', 't', 'u')).toEqual([0, 86, 3])
  expect(await forget('none', 't')).toEqual([errorCodes.GROUP_ID_NOT_FOUND])
  member.topics = ['u']
  await member.join()
  await member.syncAlone()
  expect(await forget('g', 't')).toEqual([0, 0])
  expect((await member.committed(0))?.committedOffset).toBe(-1)
  expect((await member.committed(1))?.committedOffset).toBe(1)
})
