import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { runProcess } from '../../src/kafka/run-process.ts'
import { keepRequests } from './kept-requests.ts'
import { ServedDirectory } from './served-directory.ts'

const availability = inject('clients')['rdkafka-performance']
const isAvailable = availability.available
const records = 200_000

describe.skipIf(!isAvailable)('rdkafka_performance of librdkafka 2.0.2', () => {
  let served: ServedDirectory
  beforeAll(async () => {
    served = await ServedDirectory.start()
  })
  afterAll(async () => {
    keepRequests('rdkafka-performance', served.requests)
    await served.stop()
  })

  async function perform(args: readonly string[]): Promise<string> {
    if (!isAvailable) throw new Error(availability.reason)
    const { command, environment } = availability.program
    const all = [...args, '-b', served.bootstrapServers]
    const result = await runProcess(command, all, { timeoutMs: 80_000, environment })
    if (result.exitCode === 0) return result.stdout + result.stderr
    throw new Error(`it exits with ${result.exitCode}:\n${result.stdout}${result.stderr}`)
  }

  test.each([
    ['0', 'none'],
    ['1', 'lz4'],
    ['-1', 'none'],
  ])('sends 200,000 records with acks=%s (codec %s), and reads them', async (acks, codec) => {
    const topic = `performance${acks}`
    const size = ['-s', '100', '-c', String(records)]
    const producing = ['-P', '-t', topic, '-p', '0', '-a', acks, '-z', codec, ...size]
    const said = await perform([...producing, '-X', 'linger.ms=5'])
    expect(said).toMatch(new RegExp(`${records} messages produced`))
    expect(said).toMatch(/\b0 failed/)
    const reading = ['-C', '-t', topic, '-p', '0', '-o', 'beginning', '-c', String(records)]
    expect(await perform(reading)).toMatch(new RegExp(`${records} messages`))
  })

  test('one record a request, strictly one after the other', async () => {
    const serial = ['linger.ms=0', 'batch.num.messages=1', 'max.in.flight=1']
    const settings = serial.flatMap((setting) => ['-X', setting])
    const sending = ['-P', '-t', 'serial', '-p', '0', '-a', '-1', '-s', '100', '-c', '2000']
    expect(await perform([...sending, ...settings])).toMatch(/2000 messages produced/)
  })
})
