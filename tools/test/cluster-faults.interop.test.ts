import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClusterUnavailableError, type ClusterVarve, openVarve } from '@varve/broker'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  fresh,
  numbered,
  until,
  valuesIn,
} from '../../packages/broker/test/contract/contract-home.ts'
import { type KafkaBroker, startBroker } from '../src/kafka/kafka-broker.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { UnreliableProxy } from './kafka-interop/unreliable-proxy.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => describeFaults(release))

function describeFaults(release: KafkaRelease): void {
  const directory = mkdtempSync(join(tmpdir(), 'varve-faults-'))
  let proxy: UnreliableProxy
  let broker: KafkaBroker

  const startBehindProxy = async (): Promise<void> => {
    const settings = { 'advertised.listeners': `PLAINTEXT://127.0.0.1:${proxy.port}` }
    broker = await startBroker(release, { directory, settings })
    proxy.target = Number(broker.bootstrapServers.split(':')[1])
  }

  const open = (timeoutMs = 60_000): Promise<ClusterVarve> => {
    const cluster = { heartbeatIntervalMs: 200, requestTimeoutMs: 3000, timeoutMs }
    return openVarve(`kafka://127.0.0.1:${proxy.port}`, { cluster })
  }

  /** Hangs up again and again until the work is done. */
  const whileCutting = async (work: Promise<unknown>): Promise<void> => {
    let isOver = false
    const cutting = (async () => {
      for (let round = 0; !isOver; round++) {
        await new Promise((resolve) => setTimeout(resolve, 20 + ((round * 37) % 120)))
        if (!isOver) await proxy.cut(round % 2 === 0 ? 15 : 0)
      }
    })()
    try {
      await work
    } finally {
      isOver = true
      await cutting
    }
  }

  beforeAll(async () => {
    proxy = await UnreliableProxy.listen()
    await startBehindProxy()
  })
  afterAll(async () => {
    await broker?.kill()
    await proxy?.[Symbol.asyncDispose]()
    rmSync(directory, { recursive: true, force: true })
  })

  test('what is sent over lines that break is there once, in order', async () => {
    await using varve = await open()
    const topic = fresh('broken')
    await varve.createTopic(topic, { partitions: 2 })
    const producer = varve.producer({ batchBytes: 200 })
    const sending = async (): Promise<void> => {
      const sent: Array<Promise<unknown>> = []
      for (const [index, value] of numbered(3000).entries()) {
        sent.push(producer.send(topic, { value }, { partition: index % 2 }))
        if (index % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await Promise.all(sent)
    }
    const before = proxy.cuts
    await whileCutting(sending())
    expect(proxy.cuts - before).toBeGreaterThan(2)
    const [even, odd] = await valuesIn(varve, topic)
    expect(even).toEqual(numbered(3000).filter((_, index) => index % 2 === 0))
    expect(odd).toEqual(numbered(3000).filter((_, index) => index % 2 === 1))
  })

  test('a group over lines that break handles every record, and goes on where it was', async () => {
    await using varve = await open()
    const [topic, group] = [fresh('broken'), fresh('group')]
    await varve.createTopic(topic, { partitions: 2 })
    const producer = varve.producer()
    await Promise.all(
      numbered(400).map((value, index) => {
        return producer.send(topic, { value }, { partition: index % 2 })
      }),
    )
    const seen = new Set<string>()
    const consumer = varve.consumer({ group, topics: [topic], autoCommitMs: 20 })
    const running = (async () => {
      for await (const record of consumer) {
        seen.add(String(record.value))
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    })()
    await whileCutting(until(() => seen.size === 400))
    await consumer.close()
    await running
    const { offsets } = await (await varve.groups()).describe(group)
    expect(offsets.map(({ offset }) => offset)).toEqual([200, 200])
  })

  test('transactions over lines that break are whole or not there', async () => {
    await using varve = await open()
    const topic = fresh('broken')
    await varve.createTopic(topic, { partitions: 2 })
    const producer = varve.producer({ transactionalId: fresh('broken') })
    const committed: string[] = []
    const working = async (): Promise<void> => {
      for (const value of numbered(60)) {
        await producer.transaction(async (tx) => {
          await tx.send(topic, { value }, { partition: 0 })
          await tx.send(topic, { value }, { partition: 1 })
        })
        committed.push(value)
      }
    }
    await whileCutting(working())
    expect(committed).toHaveLength(60)
    await expect
      .poll(() => valuesIn(varve, topic), { timeout: 10_000 })
      .toEqual([numbered(60), numbered(60)])
  })

  test('an effect that another process has had is not done again', async () => {
    await using one = await open()
    await using other = await open()
    const name = fresh('shared')
    const [ours, theirs] = [await one.effectLedger(name), await other.effectLedger(name)]
    const done: string[] = []
    for (const id of numbered(20)) {
      const isEven = Number(id.slice(1)) % 2 === 0
      const [first, second] = isEven ? [ours, theirs] : [theirs, ours]
      await first.run(id, () => void done.push(id))
      await second.run(id, () => void done.push(`${id} again`))
    }
    expect(done).toEqual(numbered(20))
    expect([ours.size, theirs.size]).toEqual([20, 20])
  })

  test('a broker that is away fails what waits in time, and is found again', async () => {
    await using varve = await open()
    await using hasty = await open(1000)
    const topic = fresh('away')
    await varve.createTopic(topic)
    const patient = varve.producer()
    await patient.send(topic, { value: 'before' })
    const consumer = varve.consumer({ topics: [topic] })
    await consumer.next()
    const next = consumer.next()
    proxy.target = null
    await Promise.all([proxy.cut(), broker.kill()])
    const startedMs = performance.now()
    const sent = { value: 'lost' }
    const numberless = varve.producer({ idempotent: false, deliveryTimeoutMs: 500 })
    await expect(numberless.send(topic, sent)).rejects.toThrow(ClusterUnavailableError)
    await expect(hasty.producer().send(topic, sent)).rejects.toThrow(ClusterUnavailableError)
    await expect(hasty.describeTopic(topic)).rejects.toThrow(ClusterUnavailableError)
    const failing = hasty.consumer({ topics: [topic] })
    await expect(failing.next()).rejects.toThrow(ClusterUnavailableError)
    expect(performance.now() - startedMs).toBeLessThan(15_000)
    const waiting = patient.send(topic, { value: 'after' })
    await startBehindProxy()
    expect((await waiting).offset).toBe(1)
    expect(String((await next).value?.value)).toBe('after')
  })

  test('closing ends while the broker is away', async () => {
    const varve = await open()
    const topic = fresh('closing')
    await varve.createTopic(topic)
    const producer = varve.producer({ deliveryTimeoutMs: 2000 })
    await producer.send(topic, { value: 'a' })
    const consumer = varve.consumer({ group: fresh('closing'), topics: [topic] })
    await consumer.next()
    const next = consumer.next()
    proxy.target = null
    await proxy.cut()
    const sending = producer.send(topic, { value: 'b' }).catch((error: unknown) => error)
    const startedMs = performance.now()
    await varve.close().catch(() => undefined)
    expect(performance.now() - startedMs).toBeLessThan(20_000)
    expect(await sending).toBeInstanceOf(Error)
    expect((await next).done).toBe(true)
    proxy.target = Number(broker.bootstrapServers.split(':')[1])
  })
}
