import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Promised } from '../peer.ts'
import type { BrokerProcess } from './broker-process.ts'

const execute = promisify(execFile)
const timeoutMs = 5 * 60_000

/** What `kafka-run-class` gives its tools, but for the log: only errors are of interest. */
const javaOptions = [
  '-Xmx512M',
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
]

/** Apache Kafka's own performance tools, against a broker of one partition a topic. */
export class KafkaTools {
  readonly #broker: BrokerProcess

  constructor(broker: BrokerProcess) {
    this.#broker = broker
  }

  get name(): string {
    return `Apache Kafka ${this.#broker.version}`
  }

  /** A topic that flushes each batch before it acknowledges it, or leaves that to the kernel. */
  async createTopic(topic: string, promised: Promised): Promise<void> {
    const config = promised === 'flushed' ? ['--config', 'flush.messages=1'] : []
    const args = ['--create', '--topic', topic, '--partitions', '1', ...config]
    await this.#run('org.apache.kafka.tools.TopicCommand', args)
  }

  /**
   * Records a second, flat out, by `kafka-producer-perf-test`: its steady state, when it has warmed
   * up with a quarter as many before.
   */
  async produce(
    topic: string,
    payloadPath: string,
    records: number,
    acks: string = '1',
  ): Promise<number> {
    const warmUp = Math.floor(records / 4)
    const counts = ['--num-records', String(records + warmUp), '--warmup-records', String(warmUp)]
    const properties = [`acks=${acks}`, 'linger.ms=5', 'batch.size=65536', 'buffer.memory=67108864']
    const output = await this.#run('org.apache.kafka.tools.ProducerPerformance', [
      ...['--topic', topic, '--throughput', '-1', '--payload-file', payloadPath, ...counts],
      ...['--command-property', ...properties],
    ])
    const rates = [
      ...output.matchAll(/(\d+)(?: steady state)? records sent.*?, ([\d.]+) records\/sec/g),
    ]
    const last = rates.at(-1)
    if (last === undefined || Number(last[1]) !== records) {
      throw new Error(`kafka-producer-perf-test did not send ${records} records:\n${output}`)
    }
    return Number(last[2])
  }

  /** Records a second, by `kafka-consumer-perf-test`: of its fetching, joining a group apart. */
  async consume(topic: string, records: number): Promise<number> {
    const args = ['--topic', topic, '--num-records', String(records), '--hide-header']
    const output = await this.#run('org.apache.kafka.tools.ConsumerPerformance', args)
    // start, end, MB, MB/s, records, records/s, rebalance ms, fetch ms, fetch MB/s, fetch records/s
    const fields = (output.trim().split('\n').at(-1) ?? '').split(',').map((text) => text.trim())
    const [read, rate] = [Number(fields[4]), Number(fields[9])]
    if (!(read >= records) || !Number.isFinite(rate)) {
      throw new Error(`kafka-consumer-perf-test did not read ${records} records:\n${output}`)
    }
    return rate
  }

  async #run(mainClass: string, args: readonly string[]): Promise<string> {
    const { java = 'java', classpath = '', port } = this.#broker
    const server = ['--bootstrap-server', `127.0.0.1:${port}`]
    const all = [...javaOptions, '-cp', classpath, mainClass, ...server, ...args]
    const { stdout } = await execute(java, all, { timeout: timeoutMs })
    return stdout
  }
}
