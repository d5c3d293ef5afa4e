import { javaArguments } from './java-command.ts'
import type { KafkaBroker } from './kafka-broker.ts'
import type { KafkaRelease } from './kafka-release.ts'
import { LeashedProcess } from './leashed-process.ts'
import type { PlainRecord } from './plain-record.ts'

export interface ConsumeOptions {
  readonly topics: readonly string[]
  readonly isolationLevel: 'read_committed' | 'read_uncommitted'
  /** How many records are expected at least, all topics together: then it ends after a pause. */
  readonly records: number
}

/** With all expected records here, further ones would come within this. */
const pauseMs = 700
const deadlineMs = 60_000

/**
 * Reads topics from their beginning with `kafka-console-consumer`, and returns their records by
 * topic. Ends when the expected number has arrived and no more follow, or after a minute with what
 * there is.
 */
export async function consumeAll(
  release: KafkaRelease,
  broker: KafkaBroker,
  options: ConsumeOptions,
): Promise<ReadonlyMap<string, readonly PlainRecord[]>> {
  const found = new Map<string, PlainRecord[]>(options.topics.map((topic) => [topic, []]))
  const consumer = startConsoleConsumer(release, broker, options)
  let records = 0
  let lastAt = performance.now()
  consumer.onLine((line) => {
    const { topic, partition, timestampType, ...record } = JSON.parse(line) as ConsoleRecord
    found.get(topic)?.push(record)
    records += 1
    lastAt = performance.now()
  })
  try {
    const deadline = performance.now() + deadlineMs
    const isComplete = (): boolean =>
      records >= options.records && performance.now() - lastAt > pauseMs
    while (!isComplete() && performance.now() < deadline && consumer.isRunning) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await consumer.stop(30_000)
  } finally {
    await consumer.kill()
  }
  if (!consumer.printed.includes(`Processed a total of ${records} messages`)) {
    throw new Error(`the console consumer did not end as it should:\n${consumer.printed}`)
  }
  return found
}

interface ConsoleRecord extends PlainRecord {
  readonly topic: string
  readonly partition: number
  readonly timestampType: string
}

function startConsoleConsumer(
  release: KafkaRelease,
  broker: KafkaBroker,
  options: ConsumeOptions,
): LeashedProcess {
  const mainClass = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
  const args = javaArguments(release, 'LeashedMain', [
    mainClass,
    '--bootstrap-server',
    broker.bootstrapServers,
    '--include',
    options.topics.map((topic) => topic.replaceAll('.', '[.]')).join('|'),
    '--from-beginning',
    '--isolation-level',
    options.isolationLevel,
    '--formatter',
    'JsonLinesFormatter',
  ])
  return new LeashedProcess('the console consumer', release.java, args)
}
