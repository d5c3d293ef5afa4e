import { systemClock } from '@varve/log'
import { type Cluster, isPassingFailure, type RetryOptions } from '../../src/cluster/cluster.ts'
import { ClusterRefusedError, ClusterUnavailableError } from '../../src/cluster/cluster-errors.ts'
import { resolveClusterOptions } from '../../src/cluster/cluster-options.ts'
import { BrokerAwayError } from '../../src/cluster/kafka-failures.ts'

/** What a broker answers to a request of that name; it may throw. */
export type Answers = Readonly<Record<string, (...args: never[]) => unknown>>

/**
 * A cluster whose brokers answer what a test says: `syncGroupV5` is what the client's request of
 * that name gets, whoever is asked. What passes is tried again at once, `triesMax` times.
 */
export function fakeCluster(answers: Answers, triesMax = 3): Cluster {
  const api = (name: string) => {
    const answer = answers[name] ?? (() => refuseAll(name))
    const async = async (_connection: unknown, ...args: never[]) => answer(...args)
    return { api: { async, key: 0, version: 0, name } }
  }
  const client = new Proxy({}, { get: (_target, name) => api(String(name)) })
  const ask = (run: (connection: unknown) => unknown) => run({ send: answers['send'] })
  return {
    client,
    clock: systemClock,
    options: resolveClusterOptions({ heartbeatIntervalMs: 1 }, false),
    isClosed: false,
    nodes: [1],
    version: (_request: string, versions: readonly unknown[]) => versions[0],
    metadata: async (topics: readonly string[]) =>
      (answers['metadata'] as never as Metadata)(topics),
    on: async (_node: number, run: (connection: unknown) => unknown) => ask(run),
    onAny: async (run: (connection: unknown) => unknown) => ask(run),
    onCoordinator: async (_kind: string, _key: string, run: (connection: unknown) => unknown) =>
      ask(run),
    newPool: () => ({}),
    closePool: async () => undefined,
    retrying: async (what: string, attempt: () => Promise<unknown>, options: RetryOptions = {}) => {
      for (let tries = 1; ; tries++) {
        try {
          return await attempt()
        } catch (error) {
          if (!(options.isPassing ?? isPassingFailure)(error)) throw error
          if (tries === triesMax) throw new ClusterUnavailableError(what, 'fake', error)
        }
      }
    },
  } as unknown as Cluster
}

type Metadata = (topics: readonly string[]) => unknown

function refuseAll(name: string): never {
  throw new Error(`nothing was said of ${name}`)
}

export function refused(code: number): ClusterRefusedError {
  return new ClusterRefusedError(code, `E${code}`, '')
}

export function away(): BrokerAwayError {
  return new BrokerAwayError('gone')
}

/** A script of answers, one after the other; errors are thrown. */
export function inTurn(...answers: readonly unknown[]): () => unknown {
  const left = [...answers]
  return () => {
    const next = left.shift()
    if (next instanceof Error) throw next
    return next
  }
}
