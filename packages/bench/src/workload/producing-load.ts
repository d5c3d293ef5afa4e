import type { Producer, SendingOptions, Varve } from '@varve/broker'
import type { NextKey } from '../payload/key-distribution.ts'
import type { Payload } from '../payload/payload.ts'
import { type Outgoing, RecordSender, type SendingPlan } from './record-sender.ts'
import type { RunContext } from './run-gauges.ts'

/** Which records are sent, and how. */
export interface ProducingLoad {
  readonly payload: Payload
  /** Called for each record. */
  readonly nextKey: NextKey
  /** The plan's rate, records and number in flight are those of all producers together. */
  readonly producers: number
  readonly sending: Pick<SendingOptions, 'acks' | 'compression' | 'lingerMs' | 'batchBytes'>
}

/** The header with the moment at which a record was due, for runs from end to end. */
export const dueHeader = 'varve-bench-due'

export interface LoadHooks {
  onCounting(dueMs: number): void
  acknowledged(nowMs: number, record: Outgoing): void
}

export interface LoadOptions {
  readonly varve: Varve
  readonly topic: string
  readonly load: ProducingLoad
  readonly plan: SendingPlan
  readonly context: RunContext
  /** Whether records say when they were due. */
  readonly isDated: boolean
}

/** Sends a load with its producers until it ends. Resolves with how many records count. */
export async function sendLoad(options: LoadOptions, hooks: LoadHooks): Promise<number> {
  const { varve, load, plan, context } = options
  const { signal } = context
  const producers = Array.from({ length: load.producers }, () => {
    return varve.producer<Uint8Array, Uint8Array>({ ...load.sending })
  })
  const senders = producers.map((producer, index) => {
    const send = dispatcher(producer, options, index)
    return new RecordSender(context.clock, shareOf(plan, producers.length, index), {
      ...hooks,
      send,
    })
  })
  const stop = (): void => {
    for (const sender of senders) sender.stop()
  }
  signal?.addEventListener('abort', stop)
  if (signal?.aborted === true) stop()
  try {
    await Promise.all(producers.map((producer) => producer.start()))
    await Promise.all(senders.map((sender) => sender.run()))
  } finally {
    stop()
    signal?.removeEventListener('abort', stop)
    await Promise.allSettled(producers.map((producer) => producer.close()))
  }
  return senders.reduce((sum, { counted }) => sum + counted, 0)
}

function dispatcher(
  producer: Producer<Uint8Array, Uint8Array>,
  { topic, load, isDated }: LoadOptions,
  index: number,
): (record: Outgoing) => Promise<unknown> {
  const { nextKey, payload } = load
  const { values } = payload
  // Producers begin at different values.
  let at = Math.floor((values.length / load.producers) * index)
  return (record) => {
    const value = values[at] ?? values[0]
    at = at + 1 === values.length ? 0 : at + 1
    const key = nextKey()
    record.bytes = value.length + (key === null ? 0 : key.length)
    if (!isDated) return producer.send(topic, { key, value })
    const headers = [{ key: dueHeader, value: encodeDue(record) }]
    return producer.send(topic, { key, value, headers })
  }
}

/** 8 bytes: when it was due, in ms; negative where it does not count. */
function encodeDue({ dueMs, isCounted }: Outgoing): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeDoubleLE(isCounted ? dueMs : -dueMs)
  return bytes
}

/** What one of several producers does of a plan. */
export function shareOf(plan: SendingPlan, count: number, index: number): SendingPlan {
  const partOf = (whole: number): number => {
    return Math.floor(whole / count) + (index < whole % count ? 1 : 0)
  }
  return {
    ...plan,
    rate: plan.rate === null ? null : plan.rate / count,
    inFlight: Math.max(1, partOf(plan.inFlight)),
    records: plan.records === null ? null : partOf(plan.records),
  }
}
