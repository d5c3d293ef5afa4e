import { ManualClock, Random, SimulatedFileSystem } from '@varve/log/testing'
import { type TopicAlteration, Topics, type TopicsOptions } from '../src/topics/topics.ts'

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
