import { expect, test } from 'vitest'
import type { ConsumerRecord } from '../../src/consuming/consumer-record.ts'
import { NotRetriable } from '../../src/handling/attempts.ts'
import { deadLetterTopicOf, readDeadLetter } from '../../src/handling/dead-letter.ts'
import { HandlingFailedError } from '../../src/handling/handling-errors.ts'
import { onceOnly } from '../../src/handling/once-only.ts'
import { fixedRetry } from '../../src/handling/retry-policy.ts'
import { errorOf } from '../broker-fixture.ts'
import { fresh, type Home, numbered, until, valuesIn, withVarve } from './contract-home.ts'

export function describeHandling(home: Home): void {
  test('a run retries, gives up to the dead-letter topic, and commits the rest', async () => {
    await withVarve(home, async (varve) => {
      const [topic, group] = [fresh('mail'), fresh('mailer')]
      await varve.createTopic(topic, { partitions: 2 })
      const producer = varve.producer()
      for (const [index, value] of numbered(20).entries()) {
        await producer.send(topic, { key: value, value }, { partition: index % 2 })
      }
      const tries = new Map<string, number>()
      const consumer = varve.consumer({ group, topics: [topic] })
      const running = consumer.run({
        ...{ concurrency: 4, commitIntervalMs: 50 },
        retry: fixedRetry({ delayMs: 1, maxAttempts: 3 }),
        deadLetter: varve.deadLetters(),
        handler: async ({ value }) => {
          const text = String(value)
          tries.set(text, (tries.get(text) ?? 0) + 1)
          if (text === 'v3') throw new Error('it is broken')
          if (text === 'v4') throw new NotRetriable('it is hopeless')
          if (text === 'v5' && tries.get(text) === 1) throw new Error('once')
        },
      })
      const groups = await varve.groups()
      await until(async () => {
        if (tries.size < 20) return false
        const { offsets } = await groups.describe(group)
        return offsets.length === 2 && offsets.every(({ offset }) => offset === 10)
      })
      await consumer.close()
      await running
      const counts = ['v3', 'v4', 'v5', 'v6'].map((value) => tries.get(value))
      expect(counts).toEqual([3, 1, 2, 1])
      const letters = []
      const dead = deadLetterTopicOf(topic)
      for await (const record of varve.consumer({ topics: [dead], follow: false })) {
        const letter = readDeadLetter(record)
        letters.push([String(record.value), letter?.partition, letter?.offset, letter?.attempts])
      }
      expect(letters.sort()).toEqual([
        ['v3', 1, 1, 3],
        ['v4', 0, 2, 1],
      ])
      expect((await varve.describeTopic(dead)).settings.retentionMs).toBe(-1)
    })
  })

  test('dead letters are replayed once, as they were', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('jobs')
      await varve.createTopic(topic, { partitions: 3 })
      const headers = [{ key: 'own', value: 'kept' }]
      const sent = await varve.producer().send(topic, { key: 'k', value: 'job', headers })
      const consumer = varve.consumer({ topics: [topic] })
      const deadLetter = varve.deadLetters({ topic: `${topic}.dlq` })
      const handled = new Promise<void>((resolve) => {
        const running = consumer.run({
          deadLetter: async (record, failure) => {
            await deadLetter(record, failure)
            resolve()
          },
          handler: () => {
            throw new Error('no')
          },
        })
        running.catch(() => undefined)
      })
      await handled
      await consumer.close()
      expect(await varve.replayDeadLetters(`${topic}.dlq`)).toEqual({ replayed: 1, passedOver: 0 })
      expect(await varve.replayDeadLetters(`${topic}.dlq`)).toEqual({ replayed: 0, passedOver: 0 })
      const values = await valuesIn(varve, topic)
      expect(values[sent.partition]).toEqual(['job', 'job'])
      const from = 1
      const assignment = [{ topic, partition: sent.partition }]
      const again = await varve.consumer({ assignment, from }).next()
      expect(again.value?.headers.map(({ key }) => key)).toEqual(['own'])
    })
  })

  test('without a dead-letter topic a run ends with what failed, uncommitted', async () => {
    await withVarve(home, async (varve) => {
      const [topic, group] = [fresh('strict'), fresh('strict')]
      await varve.createTopic(topic)
      for (const value of numbered(3)) await varve.producer().send(topic, { value })
      const run = varve.consumer({ group, topics: [topic] }).run({
        handler: ({ value }) => {
          if (String(value) === 'v1') throw new Error('no')
        },
      })
      const error = await errorOf(run, HandlingFailedError)
      expect(error).toMatchObject({ topic, partition: 0, offset: 1 })
      const { offsets } = await (await varve.groups()).describe(group)
      expect(offsets).toMatchObject([{ offset: 1 }])
    })
  })

  test('an effect happens once, however often its record comes, over restarts too', async () => {
    const [topic, name] = [fresh('effects'), fresh('ledger')]
    const done: string[] = []
    for (const life of [0, 1]) {
      await withVarve(home, async (varve) => {
        if (life === 0) {
          await varve.createTopic(topic)
          for (const value of numbered(3)) await varve.producer().send(topic, { value })
        }
        const ledger = await varve.effectLedger(name)
        expect([await varve.effectLedger(name), ledger.size]).toEqual([ledger, 3 * life])
        const effect = ({ value }: ConsumerRecord) => void done.push(String(value))
        const handler = onceOnly(effect, { ledger })
        for (const _ of [0, 1]) {
          await varve.consumer({ topics: [topic], follow: false }).run({ handler, concurrency: 2 })
        }
        const { settings } = await varve.describeTopic(`${name}.effects`)
        expect(settings.cleanupPolicy).toEqual(['compact'])
      })
    }
    expect(done).toEqual(numbered(3))
  })

  test('records whose time is over are not delivered', async () => {
    await withVarve(home, async (varve) => {
      const topic = fresh('expiring')
      await varve.createTopic(topic)
      const producer = varve.producer()
      await producer.send(topic, { value: 'soon over', ttlMs: 1 })
      await producer.send(topic, { value: 'stays', ttlMs: 3_600_000 })
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(await valuesIn(varve, topic)).toEqual([['stays']])
    })
  })
}
