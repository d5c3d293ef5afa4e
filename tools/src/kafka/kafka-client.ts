import type { RecordInput } from '@varve/record'
import { javaArguments } from './java-command.ts'
import type { KafkaRelease } from './kafka-release.ts'
import { LeashedProcess } from './leashed-process.ts'

/** A record to be produced; Kafka's client stamps none itself here. */
export type TimedRecord = RecordInput & { readonly timestamp: number }

const commandTimeoutMs = 90_000

/** Kafka's own Java clients (producers, group members, administration) of one broker. */
export class KafkaClient {
  readonly #child: LeashedProcess
  /** Commands are answered in their order. */
  readonly #waiting: ((line: string) => void)[] = []
  #producers = 0

  constructor(release: KafkaRelease, bootstrapServers: string) {
    const args = javaArguments(release, 'ClientDriver', [bootstrapServers])
    this.#child = new LeashedProcess('the Kafka client', release.java, args)
    this.#child.onLine((line) => this.#waiting.shift()?.(line))
  }

  /** Creates a topic of one partition. */
  async createTopic(topic: string, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#run({ command: 'createTopic', topic, configs })
  }

  /** Raises the log start offset, as kafka-delete-records does. */
  async deleteRecords(topic: string, beforeOffset: number): Promise<void> {
    await this.#run({ command: 'deleteRecords', topic, beforeOffset })
  }

  /** Opens a producer; one with a `transactional.id` is initialised for transactions. */
  async openProducer(properties: Readonly<Record<string, string>> = {}): Promise<ClientProducer> {
    this.#producers += 1
    const producer = `producer-${this.#producers}`
    // With a linger, the records of one send make one batch.
    const all = { 'linger.ms': '10000', 'batch.size': String(512 * 1024), ...properties }
    await this.#run({ command: 'openProducer', producer, properties: all })
    const run = async (command: string): Promise<void> => {
      await this.#run({ command, producer })
    }
    return {
      send: async (topic, records) => {
        const lines = records.map(wireRecord)
        return (await this.#run({ command: 'send', producer, topic, records: lines })) as number[]
      },
      beginTransaction: () => run('beginTransaction'),
      commitTransaction: () => run('commitTransaction'),
      abortTransaction: () => run('abortTransaction'),
      close: () => run('closeProducer'),
    }
  }

  /** Reads a topic as a member of a group, commits, leaves. Returns how many records it read. */
  async consumeAsGroup(
    group: string,
    topic: string,
    records: number,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<number> {
    const command = { command: 'consumeAsGroup', group, topic, records, properties }
    return (await this.#run(command)) as number
  }

  /** Offset of the first record that a fetch from an offset gives; -1 when it gives none. */
  async firstOffsetFrom(topic: string, offset: number): Promise<number> {
    return (await this.#run({ command: 'firstOffsetFrom', topic, offset })) as number
  }

  /** Offset of the first record whose timestamp is at least this; -1 when there is none. */
  async offsetForTimestamp(topic: string, timestamp: number): Promise<number> {
    return (await this.#run({ command: 'offsetForTimestamp', topic, timestamp })) as number
  }

  /** Ends the clients at once: transactions that are open stay open. */
  close(): Promise<void> {
    return this.#child.kill()
  }

  async #run(command: Readonly<Record<string, unknown>>): Promise<unknown> {
    this.#child.writeLine(JSON.stringify(command))
    let timer: NodeJS.Timeout | undefined
    const answer = new Promise<string>((resolve) => this.#waiting.push(resolve))
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), commandTimeoutMs)
    })
    const line = await Promise.race([answer, late, this.#child.ended.then(() => null)])
    clearTimeout(timer)
    const name = String(command['command'])
    if (line === null) {
      await this.#child.kill()
      throw new Error(`the Kafka client does not answer ${name}:\n${this.#child.printed}`)
    }
    const { result, error } = JSON.parse(line) as { result?: unknown; error?: string }
    if (error !== undefined) throw new Error(`${name}: ${error}`)
    return result
  }
}

/** A producer inside the client's process. */
export interface ClientProducer {
  /** Sends records to partition 0 and waits until they are acknowledged. Returns their offsets. */
  send(topic: string, records: readonly TimedRecord[]): Promise<readonly number[]>
  beginTransaction(): Promise<void>
  commitTransaction(): Promise<void>
  abortTransaction(): Promise<void>
  close(): Promise<void>
}

function wireRecord(record: TimedRecord): unknown {
  const headers = record.headers ?? []
  return {
    timestamp: record.timestamp,
    key: base64(record.key),
    value: base64(record.value),
    headers: headers.map((header) => [base64(header.key), base64(header.value)]),
  }
}

function base64(bytes: Uint8Array | string | null | undefined): string | null {
  return bytes === null || bytes === undefined
    ? null
    : Buffer.from(bytes as string).toString('base64')
}
