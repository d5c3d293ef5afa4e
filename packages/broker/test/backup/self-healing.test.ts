import {
  DirectoryTarget,
  type HealEvent,
  healChannel,
  inlineEncoder,
  Repository,
  runBackup,
} from '@varve/backup'
import { cleanerChannels, SegmentDamageError } from '@varve/cleaner'
import { expect, test } from 'vitest'
import { healFrom } from '../../src/backup/self-healing.ts'
import { newMachine, openOn } from '../broker-fixture.ts'

test('what a consumer or a scrubber finds rotten is healed beside them', async () => {
  const machine = newMachine()
  const { fs, clock } = machine
  fs.makeDirectories('/backups')
  await using varve = await openOn(machine, { cleaning: false })
  await varve.createTopic('a', { segmentBytes: 2000 })
  const producer = varve.producer()
  for (let count = 0; count < 100; count++) {
    await producer.send('a', { value: `v${count}`.padEnd(50) })
  }
  const log = varve.log('a', 0)
  await log.settle()
  const repository = await Repository.create(new DirectoryTarget('/backups', { fs }))
  const options = { fs, clock, encoder: inlineEncoder(fs), threads: 1 }
  await runBackup(repository, varve.backupSource(), options)
  const events: HealEvent[] = []
  const listen = (event: unknown) => void events.push(event as HealEvent)
  healChannel.subscribe(listen)
  const rot = (index: number): void => {
    fs.flipBit(log.segments()[index]?.path ?? '', 8 * 300)
  }
  const values = async (): Promise<number> => {
    let count = 0
    const consumer = varve.consumer({ topics: ['a'], from: 'earliest', follow: false })
    for await (const _ of consumer) count++
    await consumer.close()
    return count
  }
  {
    await using healing = healFrom(varve, [repository], { fs })
    rot(0)
    await expect(values()).rejects.toThrow()
    await healing.settled()
    expect(await values()).toBe(100)
    rot(1)
    const segment = log.segments()[1]
    if (segment === undefined) throw new Error('there is a second segment')
    const error = new SegmentDamageError(segment.path, 300, 'as a scrubber says')
    cleanerChannels.rot.publish({ log: log.name, segment, error })
    await healing.settled()
    expect(await values()).toBe(100)
    expect(events.map(({ outcome }) => outcome.kind)).toEqual(['healed', 'healed'])
  }
  healChannel.unsubscribe(listen)
})
