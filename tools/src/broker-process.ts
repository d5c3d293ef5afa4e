import { startNats } from './brokers/nats-server.ts'
import { startRedis } from './brokers/redis-server.ts'
import type { RunningServer } from './brokers/running-server.ts'
import { startBroker } from './kafka/kafka-broker.ts'
import { kafkaRelease } from './kafka/kafka-release.ts'
import { runProcess } from './kafka/run-process.ts'
import { debianPackages, leashedArguments, type UnpackedPackages } from './s3/debian-packages.ts'

// Runs a broker for another program: `node broker-process.js kafka|redis|nats DIRECTORY`. Fetches
// it where it has to, prints one line of JSON when it serves, or why it can't, and ends it when
// standard input ends, however the other program does.

interface Served {
  readonly server: RunningServer
  /** What the other program has to know besides. */
  readonly facts: Readonly<Record<string, string | readonly string[]>>
}

/** Kafka's own defaults, where a broker of the tests has something else. */
const kafkaDefaults = {
  'num.network.threads': '3',
  'num.io.threads': '8',
  'background.threads': '10',
  'log.initial.task.delay.ms': '30000',
  'log.cleaner.dedupe.buffer.size': String(128 * 2 ** 20),
  'log.cleaner.backoff.ms': '15000',
  'broker.session.timeout.ms': '9000',
  'broker.heartbeat.interval.ms': '2000',
  'group.initial.rebalance.delay.ms': '3000',
  'offsets.topic.num.partitions': '50',
  'transaction.state.log.num.partitions': '50',
  'auto.create.topics.enable': 'true',
}

const starts: Readonly<Record<string, (directory: string) => Promise<Served | string>>> = {
  kafka: startKafka,
  redis: (directory) => startDebian(['redis-server'], directory, startRedis),
  nats: (directory) => startDebian(['nats-server'], directory, startNats),
}

const [kind = '', directory = ''] = process.argv.slice(2)
const start = starts[kind]
if (start === undefined || directory === '') {
  process.stderr.write('usage: node broker-process.js kafka|redis|nats DIRECTORY\n')
  process.exitCode = 2
} else {
  await serve(start, directory)
}

async function serve(
  startIn: (directory: string) => Promise<Served | string>,
  place: string,
): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    process.stdin.once('end', resolve).resume()
  })
  const served = await startIn(place).catch((error: Error) => error.message)
  if (typeof served === 'string') {
    process.stdout.write(`${JSON.stringify({ available: false, reason: served })}\n`)
    process.stdin.destroy()
    return
  }
  const { server, facts } = served
  const { port, promises, settings } = server
  const said = { available: true, port, promises, settings, ...facts }
  process.stdout.write(`${JSON.stringify(said)}\n`)
  await ended
  await server.stop()
}

/** Of Apache Kafka the newest release, with the virtual machine that its own scripts make. */
async function startKafka(place: string): Promise<Served | string> {
  const found = await kafkaRelease('4')
  if (!found.available) return found.reason
  const { release } = found
  const broker = await startBroker(release, {
    directory: place,
    java: { tuning: 'server', heapMegabytes: 1024 },
    settings: kafkaDefaults,
  })
  const port = Number(broker.bootstrapServers.split(':').at(-1))
  const { java, classpath, version } = release
  const settings = ['flush.messages=1 where a record has to survive a power cut']
  const server: RunningServer = {
    port,
    promises: ['flushed', 'written'],
    settings,
    stop: () => broker.kill(),
  }
  return { server, facts: { java, classpath, version, javaArguments: broker.javaArguments } }
}

async function startDebian(
  names: readonly string[],
  place: string,
  startServer: (packages: UnpackedPackages, directory: string) => Promise<RunningServer>,
): Promise<Served | string> {
  const found = await debianPackages(names)
  if (!found.available) return found.reason
  const version = await versionOf(found.packages, names[0] ?? '')
  return { server: await startServer(found.packages, place), facts: { version } }
}

async function versionOf(packages: UnpackedPackages, program: string): Promise<string> {
  const args = leashedArguments(packages, program, ['--version'])
  const { stdout } = await runProcess('setpriv', args, { timeoutMs: 10_000 })
  return /v=?(\d[\d.]*)/.exec(stdout)?.[1] ?? 'unknown'
}
