import { Topics } from '@varve/broker'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { run } from './captured-io.ts'

const temporary = makeTemporaryDirectory()

let count = 0

/** A data directory with three segments of ten versions of one key, a day old, and one of now. */
export async function makeData(cleanupPolicy: 'compact' | 'delete'): Promise<string> {
  const data = `${temporary.path}/data-${count++}`
  await using topics = await Topics.open(data, {})
  const topic = await topics.create('t', 1, { cleanupPolicy })
  const { log } = topic.partition(0)
  for (let index = 0; index < 40; index++) {
    const timestamp = Date.now() - (index < 30 ? 86_400_000 : 0)
    await log.append({ key: 'k', value: `v${index}`, timestamp })
    if (index % 10 === 9) await log.roll()
  }
  return data
}

export async function valuesIn(data: string): Promise<string[]> {
  const { stdout } = await run('consume', 't', '--data', data, '--json')
  return stdout.documents.map(({ value }) => value)
}
