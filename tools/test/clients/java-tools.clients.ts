import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { javaArguments, runJava } from '../../src/kafka/java-command.ts'
import { type KafkaRelease, kafkaRelease } from '../../src/kafka/kafka-release.ts'
import { LeashedProcess } from '../../src/kafka/leashed-process.ts'
import { keepRequests } from './kept-requests.ts'
import { ServedDirectory } from './served-directory.ts'

const tools = 'org.apache.kafka.tools'
const timeoutMs = 60_000

/** Where classes are that have moved between the two lines. */
const moved = {
  '3.9': { producer: 'kafka.tools.ConsoleProducer', apis: 'kafka.admin.BrokerApiVersionsCommand' },
  '4': { producer: `${tools}.ConsoleProducer`, apis: `${tools}.BrokerApiVersionsCommand` },
} as const

// What Kafka's own scripts run.
describe.each(['3.9', '4'] as const)('the tools of Kafka %s', async (line) => {
  const found = await kafkaRelease(line)
  if (!found.available) {
    test.skip(`skipped: ${found.reason}`)
    return
  }
  const { release } = found
  const directory = mkdtempSync(join(tmpdir(), 'varve-java-tools-'))
  let served: ServedDirectory
  beforeAll(async () => {
    served = await ServedDirectory.start()
  })
  afterAll(async () => {
    rmSync(directory, { recursive: true, force: true })
    keepRequests(`java-tools-${line}`, served.requests)
    await served.stop()
  })
  const run = async (mainClass: string, ...args: string[]): Promise<string> => {
    const all = ['--bootstrap-server', served.bootstrapServers, ...args]
    return runTool(release, mainClass, all)
  }

  test('the console producer sends, and the console consumer goes on in its group', async () => {
    const topic = 'console'
    const send = (from: number): Promise<string> => {
      const lines = Array.from({ length: 20 }, (_, index) => `line-${from + index}\n`)
      const args = ['--bootstrap-server', served.bootstrapServers, '--topic', topic]
      return runTool(release, moved[line].producer, args, lines.join(''))
    }
    const receive = async (): Promise<readonly string[]> => {
      const group = ['--group', 'consoles', '--from-beginning', '--max-messages', '20']
      const main = `${tools}.consumer.ConsoleConsumer`
      const printed = await run(main, '--topic', topic, ...group, '--timeout-ms', '30000')
      return printed.trim().split('\n').sort()
    }
    const numbered = (from: number): readonly string[] =>
      Array.from({ length: 20 }, (_, index) => `line-${from + index}`).sort()
    await send(0)
    expect(await receive()).toEqual(numbered(0))
    await send(20)
    expect(await receive()).toEqual(numbered(20))
  })

  test('the performance tools send and read all that they are told to', async () => {
    const topic = 'performance'
    const size = ['--num-records', '100000', '--record-size', '100', '--throughput', '-1']
    const settings = `bootstrap.servers=${served.bootstrapServers}`
    const producing = ['--topic', topic, ...size, '--producer-props', settings, 'acks=all']
    const sent = await runTool(release, `${tools}.ProducerPerformance`, producing)
    expect(sent).toMatch(/^100000 records sent/m)
    const reading = ['--topic', topic, '--messages', '100000', '--timeout', '20000']
    const read = await run(`${tools}.ConsumerPerformance`, ...reading)
    const fields = read.trim().split('\n').at(-1)?.split(', ') ?? []
    expect(Number(fields[4])).toBeGreaterThanOrEqual(100_000)
  })

  test('what the verifiable producer has acknowledged, the verifiable consumer gets', async () => {
    const shared = ['--bootstrap-server', served.bootstrapServers, '--topic', 'verifiable']
    const sending = [...shared, '--max-messages', '2000', '--acks', '-1']
    const printed = await runTool(release, `${tools}.VerifiableProducer`, sending)
    const events = printed
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as VerifiableEvent)
    const sent = events.filter(({ name }) => name === 'producer_send_success')
    expect(sent).toHaveLength(2000)
    const group = ['--group-id', 'verifiable', '--reset-policy', 'earliest', '--verbose']
    const main = `${tools}.VerifiableConsumer`
    const reading = [...shared, ...group, '--max-messages', '2000']
    const read = await runTool(release, main, reading)
    const got = read
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as VerifiableEvent)
    const records = got.filter(({ name }) => name === 'record_data')
    expect(new Set(records.map(({ value }) => value))).toEqual(
      new Set(sent.map(({ value }) => value)),
    )
    const commits = got.filter(({ name }) => name === 'offsets_committed')
    expect(commits.every(({ success }) => success === true)).toBe(true)
  })

  test('groups are listed, described, set back and deleted', async () => {
    const [topic, group] = ['grouped', 'described']
    const sending = ['--bootstrap-server', served.bootstrapServers, '--topic', topic]
    await runTool(release, moved[line].producer, sending, 'one\ntwo\nthree\n')
    const main = `${tools}.consumer.ConsoleConsumer`
    const args = ['--bootstrap-server', served.bootstrapServers, '--topic', topic]
    const reading = [main, ...args, '--group', group, '--from-beginning']
    const consumer = new LeashedProcess(
      'the console consumer',
      release.java,
      javaArguments(release, 'LeashedMain', reading),
    )
    const received: string[] = []
    consumer.onLine((text) => received.push(text))
    const groups = (...more: string[]): Promise<string> =>
      run(`${tools}.consumer.group.ConsumerGroupCommand`, ...more)
    try {
      await expect.poll(() => received.length, { timeout: 30_000 }).toBe(3)
      const members = await groups('--describe', '--group', group, '--members', '--verbose')
      expect(members).toMatch(/described +console-consumer-\S+ +\S+ +console-consumer +4/)
      await consumer.stop(20_000)
    } finally {
      await consumer.kill()
    }
    expect(await groups('--list')).toContain(group)
    const described = await groups('--describe', '--group', group)
    const lags = [...described.matchAll(/^described +grouped +\d +(\d+) +(\d+) +(\d+)/gm)]
    expect(lags.map(([, at = '', end = '', lag = '']) => [at === end, lag])).toEqual(
      Array.from({ length: 4 }, () => [true, '0']),
    )
    const reset = ['--reset-offsets', '--to-earliest', '--all-topics', '--execute']
    expect(await groups('--group', group, ...reset)).toMatch(/described +grouped +0 +0/)
    expect(await groups('--delete', '--group', group)).toContain('successful')
  })

  test('a configuration file is enough to be told where to go', async () => {
    const path = join(directory, 'client.properties')
    writeFileSync(path, 'client.id=from-a-file\n')
    const printed = await run(moved[line].apis, '--command-config', path)
    expect(printed).toContain('Produce(0): ')
    expect(printed).not.toContain('UNKNOWN')
  })
})

interface VerifiableEvent {
  readonly name: string
  readonly value?: string
  readonly success?: boolean
}

async function runTool(
  release: KafkaRelease,
  mainClass: string,
  args: readonly string[],
  input?: string,
): Promise<string> {
  const options = { timeoutMs, ...(input !== undefined && { input }) }
  const result = await runJava(release, mainClass, args, options)
  if (result.exitCode === 0) return result.stdout
  throw new Error(`${mainClass} exits with ${result.exitCode}:\n${result.stdout}${result.stderr}`)
}
