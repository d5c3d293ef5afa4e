import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../free-ports.ts'
import { type JavaOptions, javaArguments, runJava } from './java-command.ts'
import type { KafkaRelease } from './kafka-release.ts'
import { LeashedProcess } from './leashed-process.ts'

export interface BrokerOptions {
  /** Directory of the broker's own, new or left by an earlier run. Its logs lie in `data` there. */
  readonly directory: string
  /** Broker settings beside those that a single small node needs. */
  readonly settings?: Readonly<Record<string, string>>
  /** Of its virtual machine. Default: what a small node needs. */
  readonly java?: JavaOptions
}

const startTimeoutMs = 90_000
const stopTimeoutMs = 60_000

/**
 * Starts a broker that is a cluster of its own (KRaft, broker and controller in one), on free ports
 * of the loopback interface, and waits until it serves. Rejects with what it printed if it doesn't.
 */
export async function startBroker(
  release: KafkaRelease,
  options: BrokerOptions,
): Promise<KafkaBroker> {
  const dataDirectory = join(options.directory, 'data')
  const [port = 0, controllerPort = 0] = await freePorts(2)
  const settingsPath = join(options.directory, 'server.properties')
  const settings = {
    ...singleNode(port, controllerPort, dataDirectory),
    ...options.settings,
  }
  mkdirSync(options.directory, { recursive: true })
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(settingsPath, lines.join(''))
  if (!existsSync(join(dataDirectory, 'meta.properties'))) await format(release, settingsPath)

  const args = javaArguments(release, 'LeashedMain', ['kafka.Kafka', settingsPath], {
    heapMegabytes: 512,
    logLevel: 'warn',
    loggers: { 'kafka.server.KafkaRaftServer': 'info' },
    ...options.java,
  })
  const child = new LeashedProcess(`Kafka ${release.version}`, release.java, args)
  await child.waitForPrinted('Kafka Server started', startTimeoutMs)
  return new KafkaBroker(child, `127.0.0.1:${port}`, dataDirectory, args)
}

/** A running broker. */
export class KafkaBroker {
  readonly bootstrapServers: string
  /** Where the partition directories are. */
  readonly dataDirectory: string
  /** Of `java`: with them it can be started again when it has ended. */
  readonly javaArguments: readonly string[]
  readonly #child: LeashedProcess

  constructor(
    child: LeashedProcess,
    bootstrapServers: string,
    dataDirectory: string,
    args: readonly string[],
  ) {
    this.#child = child
    this.bootstrapServers = bootstrapServers
    this.dataDirectory = dataDirectory
    this.javaArguments = args
  }

  /** Warnings and errors that it has logged, for messages. */
  get printed(): string {
    return this.#child.printed
  }

  /** Shuts it down cleanly. Rejects when it had to be killed. */
  stop(): Promise<void> {
    return this.#child.stop(stopTimeoutMs)
  }

  /** Ends it as a crash would. Idempotent. */
  kill(): Promise<void> {
    return this.#child.kill()
  }
}

async function format(release: KafkaRelease, settingsPath: string): Promise<void> {
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
  // A leading '-' would be taken for an option.
  const args = ['format', '-t', clusterId.replace(/^-/, 'A'), '-c', settingsPath]
  const result = await runJava(release, 'kafka.tools.StorageTool', args, { timeoutMs: 60_000 })
  if (result.exitCode !== 0)
    throw new Error(`storage format fails:\n${result.stdout}${result.stderr}`)
}

function singleNode(
  port: number,
  controllerPort: number,
  dataDirectory: string,
): Readonly<Record<string, string>> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': dataDirectory,
    'auto.create.topics.enable': 'false',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // After a crash the broker is let in again only when its old session has ended.
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
    // Periodic work (checkpoints, retention) comes with shutdown or not at all, so that what lies
    // in the directory does not depend on how long a test takes.
    'log.initial.task.delay.ms': String(60 * 60_000),
    'num.network.threads': '2',
    'num.io.threads': '2',
    'background.threads': '2',
    'log.cleaner.dedupe.buffer.size': String(4 * 2 ** 20),
    'log.cleaner.backoff.ms': '200',
  }
}
