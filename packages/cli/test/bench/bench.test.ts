import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { RunReport } from '@varve/bench'
import { openVarve } from '@varve/broker'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { run, runWith } from '../captured-io.ts'

const temporary = makeTemporaryDirectory()
afterAll(() => temporary.remove())

const data = `${temporary.path}/disk`
mkdirSync(data)
const tiny = ['--data', data, '--warmup', '0', '--record-size', '200']
const producerLine =
  /^(\d+) records sent, \d+\.\d+ records\/sec \(\d+\.\d+ MB\/sec\), .* ms 99\.9th\.$/

/** Nothing of a run is left where it took place. */
function expectNothingLeft(): void {
  expect(readdirSync(data)).toEqual([])
}

/** Of the logs of a run that is under way. */
function logBytes(): number {
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' })
  const logs = files.filter((name) => name.endsWith('.log'))
  return logs.reduce((sum, name) => sum + statSync(`${data}/${name}`).size, 0)
}

describe('varve bench produce', () => {
  test('ends with the line of kafka-producer-perf-test, and leaves nothing behind', async () => {
    const { code, out } = await run('bench', 'produce', ...tiny, '--records', '60')
    expect(code).toBe(0)
    const lines = out.trimEnd().split('\n')
    expect(producerLine.exec(lines.at(-1) ?? '')?.[1]).toBe('60')
    expect(out).toContain('service time (flat out')
    expect(out).toContain('records per flush')
    expect(out).toContain('payload JSON events of 200 bytes, seed 2026')
    expectNothingLeft()
  })

  test('with --json prints one document, by its schema', async () => {
    const argv = ['--records', '40', '--rate', '4000', '--acks', 'all', '--keys', 'zipf', '--json']
    const { code, stdout } = await run('bench', 'produce', ...tiny, ...argv)
    expect(code).toBe(0)
    const [report, ...others] = stdout.documents as RunReport[]
    expect(others).toEqual([])
    expect(report).toMatchObject({
      schema: 'varve-bench/1',
      kind: 'produce',
      conditions: { acks: 'flushed', keys: 'zipf over 10000', pacing: 'precise' },
      measurements: [{ rate: 4000, records: 40, latencyKind: 'intended' }],
      tasks: [],
    })
    expect(report?.machine.node).toBe(process.version)
    expect(report?.measurements[0]?.latency?.count).toBe(40)
    expect(report?.measurements[0]?.process.eventLoopUtilization).toBe(null)
  })

  test('goes through several rates, and writes a page and histograms of them', async () => {
    const page = `${temporary.path}/report.html`
    const log = `${temporary.path}/latency.hlog`
    const distribution = `${temporary.path}/latency.hgrm`
    const files = ['--report', page, '--hlog', log, '--hgrm', distribution]
    const argv = ['--records', '30', '--rates', '3000,6000,-1', ...files]
    const { code, out } = await run('bench', 'produce', ...tiny, ...argv)
    expect(code).toBe(0)
    const totals = out.split('\n').filter((line) => producerLine.test(line))
    expect(totals).toHaveLength(3)
    expect(out).toContain('\n3000 records/s\n')
    expect(readFileSync(page, 'utf8')).toContain('Latency against rate')
    expect(readFileSync(`${log}.3000`, 'utf8')).toContain('log format version 1.3')
    expect(readFileSync(`${distribution}.flat-out`, 'utf8')).toContain('Total count')
  })

  test('a rate that is out of reach is told as that', async () => {
    const argv = ['--rate', '10000000', '--records', '400000', '--acks', 'written', '--json']
    const { stdout } = await run('bench', 'produce', ...tiny, ...argv)
    const [{ notes, measurements }] = stdout.documents
    expect(notes.join()).toContain('10000000 records/s were not reached')
    // What was due at once waited for nearly all of the run.
    const [{ seconds, latency }] = measurements
    expect(latency.maxMs / 1000).toBeGreaterThan(seconds * 0.8)
  })

  test('what is kept is named, and can be read', async () => {
    const disk = `${temporary.path}/kept`
    const argv = ['--data', disk, '--warmup', '0', '--records', '7', '--keep']
    const { out } = await run('bench', 'produce', ...argv)
    const [, topic = '', address = ''] = /^kept: the topic (\S+) in (.*)$/m.exec(out) ?? []
    await using varve = await openVarve(address)
    expect((await varve.describeTopic(topic)).partitions[0]?.highWatermark).toBe(7)
  })

  test.each([
    [['--record-size', '2MiB', '--records', '3']],
    [['--batch-size', '2MiB', '--records', '5000', '--acks', 'written']],
  ])('%j has a topic that takes it', async (argv) => {
    const { code, err } = await run('bench', 'produce', ...tiny, ...argv)
    expect(err).toBe('')
    expect(code).toBe(0)
  })

  test('takes values from a file, between delimiters', async () => {
    const file = `${temporary.path}/payloads.txt`
    writeFileSync(file, 'one\ttwo\tthree')
    const argv = ['--payload-file', file, '--payload-delimiter', '\\t', '--records', '6', '--json']
    const { stdout } = await run('bench', 'produce', ...tiny, ...argv)
    const [{ measurements, conditions }] = stdout.documents
    expect(measurements[0].payloadBytes).toBe(2 * 'onetwothree'.length)
    expect(conditions.payload).toContain('3 payloads of a file')
  })

  test('does not write into a topic that is there, unless it is told to', async () => {
    const address = `${temporary.path}/mine`
    {
      await using varve = await openVarve(address)
      await varve.createTopic('orders')
    }
    const argv = ['bench', 'produce', '--data', address, '--topic', 'orders', '--warmup', '0']
    const refused = await run(...argv, '--records', '5')
    expect(refused.code).toBe(3)
    expect(refused.err).toContain('the topic orders exists')
    const allowed = await run(...argv, '--records', '5', '--existing')
    expect(allowed.code).toBe(0)
    await using varve = await openVarve(address)
    expect((await varve.describeTopic('orders')).partitions[0]?.highWatermark).toBe(5)
  })

  test('interrupted, it prints what there was until then, or says that there was nothing', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const argv = ['bench', 'produce', ...tiny, '--duration', '60']
    const running = runWith({ signal }, ...argv)
    // Of so many bytes, some have been acknowledged.
    await vi.waitUntil(() => logBytes() > 1_000_000, { timeout: 20_000, interval: 20 })
    controller.abort()
    const { code, out } = await running
    expect(code).toBe(0)
    expect(out).toContain('interrupted: what there was counts')
    const atOnce = await runWith({ signal: AbortSignal.abort() }, ...argv)
    expect(atOnce.code).toBe(3)
    expectNothingLeft()
  })

  test.each([
    [['--rate', '0'], '--rate'],
    [['--rates', '100,fast'], '--rates'],
    [['--record-size', 'large'], '--record-size'],
    [['--in-flight', '0'], '--in-flight'],
    [['--duration', '-1'], '--duration'],
    [['--existing'], '--existing'],
    [['--acks', 'some'], 'acks'],
    [['--rate', '5', '--rates', '5,6'], 'rates'],
    [['--payload-file', `${temporary.path}/absent`], '--payload-file'],
    [['--record-size', '1GiB'], '--record-size'],
    [['--report', `${temporary.path}/absent/page.html`], '--report'],
    [['--hlog', `${temporary.path}/absent/latency.hlog`], '--hlog'],
    [['--linger', '1.5'], '--linger'],
    [['--key-range', '0'], '--key-range'],
    [['--batch-size', '1GiB'], '--batch-size'],
    [['--record-size', '1.5'], '--record-size'],
    [['--producers', '7', '--in-flight', '2'], '--in-flight'],
    [['--warmup', '1e300'], '--warmup'],
  ])('%j is an error of usage, before anything is made', async (argv, name) => {
    const { code, err } = await run('bench', 'produce', ...tiny, ...argv)
    expect(code).toBe(2)
    expect(err).toContain(name)
    expectNothingLeft()
  })
})

describe('varve bench produce, as Kafka’s users spell it', () => {
  test.each([
    ['0', 'none'],
    ['1', 'written'],
    ['-1', 'flushed'],
  ])('--acks %s is %s', async (given, acks) => {
    const argv = ['--records', '5', '--acks', given, '--json']
    const { code, stdout } = await run('bench', 'produce', ...tiny, ...argv)
    expect(code).toBe(0)
    expect(stdout.documents).toMatchObject([{ conditions: { acks } }])
  })

  test('more records than the disk holds are refused before the first is written', async () => {
    const argv = ['--records', String(2 ** 45)]
    const { code, err } = await run('bench', 'produce', ...tiny, ...argv)
    expect(code).toBe(3)
    expect(err).toMatch(/it would write about \d+\.\d GB to .* are free/)
    expectNothingLeft()
  })

  test('a topic that is said to exist, and does not, is not made', async () => {
    const argv = ['--data', data, '--topic', 'orders', '--existing', '--records', '5']
    const { code, err } = await run('bench', 'produce', ...argv)
    expect(code).toBe(3)
    expect(err).toContain("there is no topic 'orders'")
    expectNothingLeft()
  })
})

describe('varve bench end-to-end', () => {
  test('ends with the lines of the producer and of kafka-e2e-latency', async () => {
    const argv = ['--records', '40', '--rate', '2000']
    const { code, out } = await run('bench', 'end-to-end', ...tiny, ...argv)
    expect(code).toBe(0)
    const [total, average, percentiles] = out.trimEnd().split('\n').slice(-3)
    expect(total).toMatch(producerLine)
    expect(average).toMatch(/^Avg latency: \d+\.\d{4} ms$/)
    expect(percentiles).toMatch(/^Percentiles: 50th = \d+, 99th = \d+, 99\.9th = \d+$/)
    expectNothingLeft()
  })
})

describe('upkeep', () => {
  const once = ['--data', data, '--record-size', '200', '--repeat', '1']

  test('varve bench recover stands beside bare reading', async () => {
    const argv = ['--size', '300KB', '--recovery-point', 'start']
    const { code, out } = await run('bench', 'recover', ...once, ...argv)
    expect(code).toBe(0)
    expect(out).toMatch(/^recovery: 0\.\d+ MB, \d+ records in \d\.\d{3} s, /m)
    expect(out).toMatch(/^bare: read, check, write, flush: /m)
    expectNothingLeft()
  })

  test('varve bench recover says which segments it read', async () => {
    const argv = ['--size', '300KB', '--batch-size', '8KiB', '--segment-size', '50KB', '--json']
    const { code, stdout } = await run('bench', 'recover', ...once, ...argv)
    expect(code).toBe(0)
    const [{ conditions, tasks }] = stdout.documents
    expect(conditions.segmentBytes).toBe(50_000)
    const [recovery, bare] = tasks
    expect(recovery.details).toMatchObject({ segments: 7, scannedSegments: 1 })
    expect(bare.details).toMatchObject({ readSegments: 1, readBytes: recovery.bytes })
  })

  test.each([
    ['recover', ['--segment-size', '100']],
    ['recover', ['--segment-size', '2GiB']],
    ['compact', ['--segment-size', '100']],
    ['compact', ['--keys', 'none']],
    ['backup', ['--record-size', '1MiB', '--segment-size', '1MB']],
  ])('varve bench %s %j is an error of usage', async (name, argv) => {
    const { code, err } = await run('bench', name, ...once, ...argv)
    expect(code).toBe(2)
    expect(err).toContain(argv.at(-2)?.replace('--', ''))
    expectNothingLeft()
  })

  test('varve bench compact says what is left', async () => {
    const argv = ['--keys', 'sequential', '--key-range', '40', '--versions', '10']
    const sizes = ['--segment-size', '65536', '--json']
    const { code, stdout } = await run('bench', 'compact', ...once, ...argv, ...sizes)
    expect(code).toBe(0)
    expect(stdout.documents).toMatchObject([
      { kind: 'compact', tasks: [{ name: 'compaction', details: { keys: 40 } }], measurements: [] },
    ])
    expectNothingLeft()
  })

  test('varve bench backup measures backup, verification and restore', async () => {
    const { code, out } = await run('bench', 'backup', ...once, '--size', '200KB')
    expect(code).toBe(0)
    for (const name of ['backup', 'verify', 'restore']) {
      expect(out).toMatch(new RegExp(`^${name}: 0\\.\\d+ MB, `, 'm'))
    }
    expectNothingLeft()
  })

  test.each(['recover', 'compact', 'backup'])('%s: a cluster is no place for it', async (name) => {
    const { code, err } = await run('bench', name, '--data', 'kafka://127.0.0.1:9')
    expect(code).toBe(2)
    expect(err).toContain('must be a directory')
  })

  test('a log that does not fit on the disk is not begun', async () => {
    const { code, err } = await run('bench', 'recover', ...once, '--size', '4000TB')
    expect(code).toBe(3)
    expect(err).toContain('are free')
    expectNothingLeft()
  })

  test.each(['recover', 'compact', 'backup'])(
    '%s: interrupted, it leaves nothing',
    async (name) => {
      const { code, err } = await runWith({ signal: AbortSignal.abort() }, 'bench', name, ...once)
      expect(code).toBe(3)
      expect(err).toContain('interrupted')
      expectNothingLeft()
    },
  )
})

test('the help names the workloads, and none at all is an error of usage', async () => {
  const { code, out } = await run('bench', '--help')
  expect(code).toBe(0)
  for (const name of ['produce', 'consume', 'end-to-end', 'recover', 'compact', 'backup']) {
    expect(out).toContain(`varve bench ${name}`)
  }
  expect((await run('bench')).code).toBe(2)
})
