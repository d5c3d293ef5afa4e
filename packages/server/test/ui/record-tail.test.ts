import { type ClientRequest, request } from 'node:http'
import { silentLogger } from '@varve/broker/serving'
import { expect, test, vi } from 'vitest'
import type { TailAnswer } from '../../src/ui/answers.ts'
import { PageReading } from '../../src/ui/page-reading.ts'
import { RecordTails } from '../../src/ui/record-tail.ts'
import { sendAll, withUi } from './ui-fixture.ts'

/** Listens as a browser does. */
class Listening {
  readonly asked: ClientRequest
  text = ''
  hasEnded = false

  constructor(address: string, path: string) {
    const [host = '', port = ''] = address.split(/:(?=\d+$)/)
    this.asked = request({ host, port, path: `/ui/api/${path}`, agent: false }, (response) => {
      response.setEncoding('utf8')
      response.on('data', (piece: string) => {
        this.text += piece
      })
      response.on('end', () => {
        this.hasEnded = true
      })
      response.on('error', () => undefined)
    })
    this.asked.on('error', () => undefined)
    this.asked.end()
  }

  get isOpen(): boolean {
    return this.text.includes('retry:')
  }

  get answers(): readonly TailAnswer[] {
    const events = [...this.text.matchAll(/^data: (.*)$/gm)]
    return events.map(([, data = '']) => JSON.parse(data) as TailAnswer)
  }

  get values(): readonly (string | undefined)[] {
    return this.answers.flatMap(({ records }) => records.map(({ value }) => value?.text))
  }

  get skipped(): number {
    return this.answers.reduce((sum, { skipped }) => sum + skipped, 0)
  }
}

test('what comes in is sent as it comes, and nothing that was there before', async () => {
  await withUi(async ({ varve, address }) => {
    await varve.createTopic('t', { partitions: 2 })
    await sendAll(varve, 't', ['before'])
    const all = new Listening(address, 'topics/t/tail')
    const some = new Listening(address, 'topics/t/tail?key=k1&partition=0')
    await vi.waitFor(() => expect(all.isOpen && some.isOpen).toBe(true))
    await sendAll(varve, 't', ['one', 'two'])
    await sendAll(varve, 't', ['three'], 1)
    await vi.waitFor(() => expect(all.values).toHaveLength(3), 5000)
    expect(all.values.toSorted()).toEqual(['one', 'three', 'two'])
    await vi.waitFor(() => expect(some.values).toEqual(['two']), 5000)
    all.asked.destroy()
    some.asked.destroy()
  })
})

test('of what comes too fast the newest is shown, and the rest is counted', async () => {
  await withUi(async ({ varve, address }) => {
    await varve.createTopic('t')
    const listening = new Listening(address, 'topics/t/tail')
    await vi.waitFor(() => expect(listening.isOpen).toBe(true))
    await using producer = varve.producer()
    const values = Array.from({ length: 5000 }, (_, index) => `v${index}`)
    await Promise.all(values.map((value) => producer.send('t', { value })))
    const all = (): number => listening.values.length + listening.skipped
    await vi.waitFor(() => expect(all()).toBe(5000), 5000)
    expect(listening.skipped).toBeGreaterThan(0)
    expect(listening.values.at(-1)).toBe('v4999')
    listening.asked.destroy()
  })
})

test('a browser that goes is noticed, and a closing server waits for none', async () => {
  await withUi(async ({ varve, address }) => {
    await varve.createTopic('t')
    const tails = Array.from({ length: 16 }, () => new Listening(address, 'topics/t/tail'))
    await vi.waitFor(() => expect(tails.every(({ isOpen }) => isOpen)).toBe(true))
    const one = new Listening(address, 'topics/t/tail')
    await vi.waitFor(() => expect(one.text).toContain('16 live tails are open already'))
    tails[0]?.asked.destroy()
    await vi.waitFor(async () => {
      const next = new Listening(address, 'topics/t/tail')
      await vi.waitFor(() => expect(next.text).not.toBe(''))
      expect(next.isOpen).toBe(true)
    }, 5000)
  })
})

test('a tail ends with its topic', async () => {
  await withUi(async ({ varve, address }) => {
    await varve.createTopic('t')
    const tail = new Listening(address, 'topics/t/tail')
    await vi.waitFor(() => expect(tail.isOpen).toBe(true))
    await varve.deleteTopic('t')
    await vi.waitFor(() => expect(tail.text).toContain('event: failed'), 5000)
    await vi.waitFor(() => expect(tail.hasEnded).toBe(true), 5000)
  })
})

test('of many partitions that take much each some are shown at a tick, and others are counted', async () => {
  await withUi(async ({ varve, address }) => {
    await varve.createTopic('t', { partitions: 32 })
    const tail = new Listening(address, 'topics/t/tail')
    await vi.waitFor(() => expect(tail.isOpen).toBe(true))
    await using producer = varve.producer({ compression: 'zstd' })
    const value = 'z'.repeat(900_000)
    await Promise.all(
      Array.from({ length: 32 }, (_, partition) => producer.send('t', { value }, { partition })),
    )
    await vi.waitFor(() => expect(tail.values.length + tail.skipped).toBe(32), 5000)
    expect(tail.values.length).toBeGreaterThan(0)
    expect(tail.skipped).toBeGreaterThan(0)
  })
})

test('a set of tails that nobody opened is closed at once', () => {
  const clock = { now: () => 0, monotonic: () => 0, setTimer: vi.fn() }
  const reading = new PageReading(clock)
  const tails = new RecordTails({ clock, logger: silentLogger, reading })
  expect(tails.size).toBe(0)
  tails.close()
})
