import { expect, test } from 'vitest'
import { runJava } from '../src/kafka/java-command.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => {
  test('a program on a leash ends when whoever holds it is gone', async () => {
    // Without the leash, this consumer would look for its broker for ever.
    const args = ['--bootstrap-server', '127.0.0.1:1', '--topic', 'none']
    const consumer = ['org.apache.kafka.tools.consumer.ConsoleConsumer', ...args]
    // Nobody holds the standard input of a program that is run to its end.
    const result = await runJava(release, 'LeashedMain', consumer, { timeoutMs: 60_000 })
    expect(result).toMatchObject({ exitCode: 3, timedOut: false })
  })
})
