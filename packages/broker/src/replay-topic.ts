import { type ReplayReport, replayDeadLetters } from './handling/dead-letter-replay.ts'
import type { RawRecord } from './handling/handled-record.ts'
import type { ReplayTopicOptions, Varve } from './varve.ts'

/** Replays a dead-letter topic as a member of a group, which keeps how far it has come. */
export async function replayTopic(
  varve: Varve,
  topic: string,
  options: ReplayTopicOptions,
): Promise<ReplayReport> {
  const { group = 'varve-dead-letter-replay', ...selection } = options
  await using consumer = varve.consumer({ group, topics: [topic], follow: false })
  await using producer = varve.producer()
  return await replayDeadLetters(rawOf(consumer), {
    ...selection,
    send: (to, partition, record) =>
      producer.send(to, record, partition === null ? {} : { partition }),
    done: ({ partition, offset }) => consumer.commit([{ topic, partition, offset: offset + 1 }]),
  })
}

async function* rawOf(
  records: AsyncIterable<{ readonly raw: RawRecord }>,
): AsyncGenerator<RawRecord, void, undefined> {
  for await (const { raw } of records) yield raw
}
