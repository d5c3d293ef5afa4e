import { LogNotFoundError } from '@varve/log'
import { describe, expect, test } from 'vitest'
import { GroupNotFoundError } from '../../src/groups/group-errors.ts'
import { GroupListing } from '../../src/groups/group-listing.ts'
import { dataPath, errorOf, newMachine, openOn } from '../broker-fixture.ts'

describe('the groups of a data directory', () => {
  test('are read beside the program that has it open, and again when it commits more', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await varve.createTopic('b')
    await varve.createTopic('a', { partitions: 2 })
    const groups = await varve.groups()
    const commit = (group: string, topic: string, partition: number, offset: number) =>
      groups.resetOffsets(group, [{ topic, partition, offset }])
    await commit('second', 'b', 0, 1)
    await commit('first', 'b', 0, 2)
    await commit('first', 'a', 1, 3)
    await commit('first', 'a', 0, 4)
    await using listing = await GroupListing.open(dataPath, machine)
    expect(listing.groups.map(({ group }) => group)).toEqual(['first', 'second'])
    expect(listing.group('first')).toMatchObject({
      members: [],
      offsets: [
        { topic: 'a', partition: 0, offset: 4 },
        { topic: 'a', partition: 1, offset: 3 },
        { topic: 'b', partition: 0, offset: 2 },
      ],
    })
    const consumer = varve.consumer({ group: 'second', topics: ['b'] })
    await consumer.start()
    await commit('first', 'b', 0, 7)
    expect(listing.group('second').members).toEqual([])
    await listing.refresh()
    expect(listing.group('second')).toMatchObject({ protocolType: 'consumer' })
    expect(listing.group('second').members).toHaveLength(1)
    expect(listing.group('first').offsets.at(-1)).toMatchObject({ topic: 'b', offset: 7 })
  })

  test('are none where none ever was, and looking makes none', async () => {
    const machine = newMachine()
    await using varve = await openOn(machine)
    await using listing = await GroupListing.open(dataPath, machine)
    expect(listing.groups).toEqual([])
    expect(() => listing.group('billing')).toThrow(GroupNotFoundError)
    expect(await varve.listTopics({ internal: true })).not.toContain('__consumer_offsets')
    await errorOf(GroupListing.open('/elsewhere', machine), LogNotFoundError)
    expect(machine.fs.stat('/elsewhere')).toBe(null)
  })
})
