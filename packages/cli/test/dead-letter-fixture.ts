import { deadLetterTopicOf, noRetry } from '@varve/broker'
import { newPath, openData } from './group-fixture.ts'

export const deadLetterTopic = deadLetterTopicOf('orders')

/** Two records of `orders` that could not be handled, and their dead letters. */
export async function makeLetters(): Promise<string> {
  const data = newPath()
  await using varve = await openData(data)
  await varve.createTopic('orders', { partitions: 2 })
  const producer = varve.producer()
  await producer.send('orders', { key: 'a', value: '1' }, { partition: 0 })
  await producer.send('orders', { key: 'a', value: '2' }, { partition: 1 })
  const consumer = varve.consumer({ topics: ['orders'], follow: false })
  const handler = (): void => {
    throw new RangeError('too\nmuch')
  }
  await consumer.run({ handler, retry: noRetry, deadLetter: varve.deadLetters() })
  return data
}
