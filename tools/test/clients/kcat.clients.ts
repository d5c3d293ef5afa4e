import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { LeashedProcess } from '../../src/kafka/leashed-process.ts'
import { runProcess } from '../../src/kafka/run-process.ts'
import { keepRequests } from './kept-requests.ts'
import { ServedDirectory } from './served-directory.ts'

const availability = inject('clients').kcat
const name = availability.available ? `kcat ${availability.program.version}` : 'kcat'
const lines = (count: number): string => {
  return Array.from({ length: count }, (_, number) => `key-${number % 7}:line-${number}\n`).join('')
}

describe.skipIf(!availability.available)(name, () => {
  let served: ServedDirectory
  beforeAll(async () => {
    served = await ServedDirectory.start()
  })
  afterAll(async () => {
    keepRequests('kcat', served.requests)
    await served.stop()
  })

  async function kcat(args: readonly string[], input = ''): Promise<string> {
    if (!availability.available) throw new Error(availability.reason)
    const { command, environment } = availability.program
    const all = ['-b', served.bootstrapServers, '-q', ...args]
    const options = { timeoutMs: 60_000, environment, input }
    const result = await runProcess(command, all, options)
    if (result.exitCode === 0) return result.stdout
    throw new Error(`kcat ${args.join(' ')} exits with ${result.exitCode}:\n${result.stderr}`)
  }

  const consume = (topic: string, ...more: string[]): Promise<string> =>
    kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-f', '%k:%s\n', ...more])

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'what is piped in with codec %s comes out',
    async (codec) => {
      const sent = lines(500)
      await kcat(['-P', '-t', codec, '-K', ':', '-z', codec], sent)
      const received = await consume(codec)
      expect(received.split('\n').sort()).toEqual(sent.split('\n').sort())
    },
  )

  test('brokers, topics and partitions are listed', async () => {
    await kcat(['-P', '-t', 'listed', '-K', ':'], lines(10))
    const listing = JSON.parse(await kcat(['-L', '-J'])) as {
      readonly brokers: readonly { readonly name: string }[]
      readonly topics: readonly { readonly topic: string; readonly partitions: readonly object[] }[]
    }
    expect(listing.brokers.map((broker) => broker.name)).toEqual([served.bootstrapServers])
    expect(listing.topics.find(({ topic }) => topic === 'listed')?.partitions).toHaveLength(4)
  })

  test('offsets are found by time', async () => {
    await kcat(['-P', '-t', 'timed', '-p', '0'], 'before-1\nbefore-2\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    const between = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 50))
    await kcat(['-P', '-t', 'timed', '-p', '0'], 'after-1\nafter-2\n')
    const ask = (time: number): Promise<string> => kcat(['-Q', '-t', `timed:0:${time}`])
    expect(await ask(between)).toContain('timed [0] offset 2')
    expect(await ask(0)).toContain('timed [0] offset 0')
    expect(await ask(-1)).toContain('timed [0] offset 4')
    const after = await kcat(['-C', '-t', 'timed', '-p', '0', '-o', `s@${between}`, '-e'])
    expect(after).toBe('after-1\nafter-2\n')
  })

  test('headers, tombstones and empty values pass unchanged', async () => {
    const [topic, partition] = ['headers', ['-p', '0']]
    await kcat(['-P', '-t', topic, ...partition, '-H', 'a=1', '-H', 'b=two', '-K', ':'], 'k:v\n')
    await kcat(['-P', '-t', topic, ...partition, '-Z', '-K', ':'], 'gone:\n')
    const printed = await kcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-f', '%k %S %h\n'])
    expect(printed).toBe('k 1 a=1,b=two\ngone -1 \n')
  })

  test('a group goes on where it was when its reader comes back', async () => {
    if (!availability.available) throw new Error(availability.reason)
    const { command, environment } = availability.program
    const read = async (sent: string, wanted: number): Promise<readonly string[]> => {
      const args = ['-b', served.bootstrapServers, '-G', 'kcats', 'grouped', '-u']
      const settings = ['-X', 'auto.offset.reset=earliest', '-X', 'auto.commit.interval.ms=200']
      const member = new LeashedProcess('kcat', command, [...args, ...settings], environment)
      const received: string[] = []
      member.onLine((line) => received.push(line))
      try {
        await member.waitForPrinted('assigned', 30_000)
        await kcat(['-P', '-t', 'grouped', '-K', ':'], sent)
        await expect.poll(() => received.length, { timeout: 30_000 }).toBe(wanted)
        await member.stop(20_000)
      } finally {
        await member.kill()
      }
      return received.sort()
    }
    const first = 'key-0:first\n'
    await kcat(['-P', '-t', 'grouped', '-K', ':'], first)
    const valuesOf = (text: string): string[] =>
      text
        .trim()
        .replaceAll(/^key-\d:/gm, '')
        .split('\n')
        .sort()
    expect(await read(lines(50), 51)).toEqual(valuesOf(first + lines(50)))
    const more = lines(60).split('\n').slice(50).join('\n')
    expect(await read(more, 10)).toEqual(valuesOf(more))
  })
})
