import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, startServer } from '@varve/server'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePorts } from '../src/free-ports.ts'
import { javaArguments } from '../src/kafka/java-command.ts'
import { type KafkaRelease, kafkaStreams, pinnedKafkaVersions } from '../src/kafka/kafka-release.ts'
import { LeashedProcess } from '../src/kafka/leashed-process.ts'

const words = ['deposit', 'layer', 'varve']
/** Lines in each part of the test; the same words are in all of them. */
const part = 20
const startTimeoutMs = 60_000
const countTimeoutMs = 90_000

for (const line of ['3.9', '4'] as const) {
  const availability = await kafkaStreams(line)
  const name = `Kafka Streams ${pinnedKafkaVersions[line]}`
  if (availability.available) describe(name, () => describeCounting(availability.release))
  else if (process.env['VARVE_REQUIRE_KAFKA'] === '1') throw new Error(availability.reason)
  else describe.skip(`${name} (skipped: ${availability.reason})`, () => test('is not here'))
}

function describeCounting(release: KafkaRelease): void {
  let root = ''
  let port = 0
  let server: Server
  let application: LeashedProcess

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'varve-streams-'))
    port = (await freePorts(1))[0] ?? 0
    server = await serve()
    await server.varve.createTopic('lines', { partitions: 2 })
    await server.varve.createTopic('counts')
  })
  afterEach(async () => {
    await application.kill()
    await server.close()
    rmSync(root, { recursive: true, force: true })
  })

  const serve = (): Promise<Server> => startServer({ data: join(root, 'data'), port })

  const startCounting = async (): Promise<void> => {
    const args = [`127.0.0.1:${port}`, join(root, 'state'), 'lines', 'counts']
    const all = javaArguments(release, 'WordCount', args)
    application = new LeashedProcess('the word count', release.java, all)
    await application.waitForPrinted('state RUNNING', startTimeoutMs)
  }

  const sendLines = async (): Promise<void> => {
    await using producer = server.varve.producer()
    for (let index = 0; index < part; index++) {
      await producer.send('lines', { key: `k${index}`, value: words.join(' ') })
    }
  }

  test('counts every word once, though it is killed, and the server restarted', async () => {
    await startCounting()
    await sendLines()
    await waitForCounts(() => server, application, part / 2)
    await application.kill()
    await sendLines()
    await startCounting()
    await waitForCounts(() => server, application, part + part / 2)
    await server.close()
    server = await serve()
    await sendLines()
    const counts = await waitForCounts(() => server, application, 3 * part)
    const everyOne = Array.from({ length: 3 * part }, (_, index) => index + 1)
    for (const word of words) expect(counts.get(word), word).toEqual(everyOne)
    application.writeLine('close')
    await application.ended
    expect(application.printed).toContain('closed\n')
    expect(application.printed).not.toContain('failed ')
  })
}

/** Waits until every word has been counted up to a number; what was said of each, in order. */
async function waitForCounts(
  server: () => Server,
  application: LeashedProcess,
  count: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const deadline = performance.now() + countTimeoutMs
  for (;;) {
    const counts = await countsOf(server())
    if (words.every((word) => (counts.get(word)?.at(-1) ?? 0) >= count)) return counts
    if (performance.now() > deadline || !application.isRunning) {
      throw new Error(`${JSON.stringify([...counts])} instead of ${count}:\n${application.printed}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** What readers of committed records see. */
async function countsOf(server: Server): Promise<ReadonlyMap<string, readonly number[]>> {
  const counts = new Map<string, number[]>()
  const log = server.varve.log('counts', 0)
  for await (const { key, value } of log.reader({ from: 0, isolation: 'committed' }).records()) {
    const word = String(key)
    const known = counts.get(word) ?? []
    counts.set(word, known)
    known.push(Number(value?.readBigInt64BE()))
  }
  return counts
}
