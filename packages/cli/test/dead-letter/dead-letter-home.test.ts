import { systemClock } from '@varve/log'
import { startServer } from '@varve/server'
import { expect, test } from 'vitest'
import { type DeadLetterHome, openDeadLetters } from '../../src/dead-letter/dead-letter-home.ts'
import { DirectoryLetters } from '../../src/dead-letter/directory-letters.ts'
import { deadLetterTopic, makeLetters } from '../dead-letter-fixture.ts'
import { openData } from '../group-fixture.ts'

async function read(home: DeadLetterHome, controller: AbortController, max: number) {
  const seen: string[] = []
  for await (const { partition, offset, key } of home.records(controller.signal)) {
    seen.push(`${partition}/${offset} ${key}`)
    if (seen.length === max) controller.abort()
  }
  return seen
}

test('both homes read the same, every partition, until they are told to end', async () => {
  const data = await makeLetters()
  {
    await using varve = await openData(data)
    await varve.addPartitions(deadLetterTopic, 2)
    await varve.producer().send(deadLetterTopic, { key: 'b', value: '' }, { partition: 1 })
  }
  await using directory = await openDeadLetters({ data }, deadLetterTopic, systemClock)
  expect(directory).toBeInstanceOf(DirectoryLetters)
  await using server = await startServer({ data, port: 0 })
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  await using cluster = await openDeadLetters({ place }, deadLetterTopic, systemClock)
  for (const home of [directory, cluster]) {
    expect(await read(home, new AbortController(), 9)).toEqual(['0/0 a', '0/1 a', '1/0 b'])
    expect((await read(home, new AbortController(), 1)).length).toBeLessThan(3)
  }
})

test.each(['data', 'place'])('a topic that is not there is refused: %s', async (kind) => {
  const data = await makeLetters()
  await using server = await startServer({ data, port: 0 })
  const place = { bootstrapServer: server.bootstrapServers, commandConfig: null }
  const opening = openDeadLetters(kind === 'data' ? { data } : { place }, 'nobody', systemClock)
  await expect(opening).rejects.toMatchObject({ code: 'VARVE_TOPIC_NOT_FOUND' })
})
