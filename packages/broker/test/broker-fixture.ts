import type { Isolation, Log } from '@varve/log'
import { ManualClock, Random, SimulatedFileSystem } from '@varve/log/testing'
import type { TopicAlteration } from '../src/base/topic-settings.ts'
import { type DirectoryVarve, openDataDirectory } from '../src/directory-varve.ts'
import { directorySending } from '../src/producing/directory-sending.ts'
import type { IdentitySource } from '../src/producing/producer-identity.ts'
import type { ProducingContext } from '../src/producing/sending-home.ts'
import { Topics, type TopicsOptions } from '../src/topics/topics.ts'

import type { VarveOptions } from '../src/varve.ts'

export type { TopicAlteration }

export const dataPath = '/data'

/** What a test's data directory lies on, and the clock that drives it. */
export interface Machine {
  readonly fs: SimulatedFileSystem
  readonly clock: ManualClock
}

export function newMachine(fs: SimulatedFileSystem = new SimulatedFileSystem()): Machine {
  return { fs, clock: new ManualClock() }
}

export function openTopics(machine: Machine, options: TopicsOptions = {}): Promise<Topics> {
  const random = new Random(1)
  return Topics.open(dataPath, { ...machine, random: () => random.fraction(), ...options })
}

/** What a promise rejects with; fails when it does not. */
export async function errorOf<Expected extends Error>(
  promise: Promise<unknown>,
  type: abstract new (...args: never[]) => Expected,
): Promise<Expected> {
  const outcome: unknown = await promise.then(
    () => new Error('it was expected to reject'),
    (error: unknown) => error,
  )
  if (outcome instanceof type) return outcome
  throw outcome
}

/** What producers need, over open topics. */
export function producingContext(topics: Topics, machine: Machine): ProducingContext {
  const random = new Random(3)
  return directorySending(topics, { clock: machine.clock, random: () => random.fraction() })
}

/** Of every record of a log: offset and value. */
export async function valuesOf(log: Log, isolation: Isolation = 'uncommitted'): Promise<string[]> {
  const values: string[] = []
  const reader = log.reader({ from: log.logStartOffset, isolation })
  for await (const record of reader.records()) values.push(String(record.value))
  return values
}

/** An identity that never changes, for producers that are tested by themselves. */
export function fixedIdentity(producerId: number, producerEpoch = 0): IdentitySource {
  return {
    take: async () => ({ producerId, producerEpoch }),
    giveBack: () => undefined,
  }
}

export function openOn(machine: Machine, options: VarveOptions = {}): Promise<DirectoryVarve> {
  const random = new Random(5)
  return openDataDirectory(dataPath, { ...machine, random: () => random.fraction(), ...options })
}

/** The next so many records of a consumer, as text. */
export async function takeValues(
  consumer: AsyncIterator<{ readonly value: unknown }>,
  count: number,
): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    const { done, value } = await consumer.next()
    if (done === true) break
    values.push(String(value.value))
  }
  return values
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
