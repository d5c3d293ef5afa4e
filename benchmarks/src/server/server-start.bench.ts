import { mkdirSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import type { Sample } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { hashOf } from '../harness/result-hash.ts'
import { memoryOf } from './broker-memory.ts'
import { type StartedBroker, startBrokerProgram } from './broker-start.ts'
import { BrokerUse } from './broker-use.ts'
import { serveVarve } from './served-varve.ts'
import {
  type AskedFigure,
  figuresBeside,
  kafkaOf,
  type Pair,
  repeatOfServers,
} from './two-brokers.ts'

/** A tenth of its time, a quarter of its memory. */
const asked: readonly AskedFigure[] = [
  { name: 'from its start until it serves', unit: 's', bar: { kind: 'ratio', atLeast: 10 } },
  { name: 'memory after the start', unit: 'MiB', bar: { kind: 'ratio', atLeast: 4 } },
]
/** Until what belongs to starting is over. */
const settleMs = 2_000

/** A broker that can be started again and again, on the same directory. */
interface Startable {
  readonly name: string
  start(): Promise<StartedBroker>
}

export const serverStart: Benchmark = {
  name: 'server-kafka-start',
  summary: 'starting varve serve, and Apache Kafka, on a directory without topics',
  repeat: repeatOfServers,
  run: (context) => context.withDirectory((directory) => starting(context, directory)),
}

async function starting(context: BenchmarkContext, directory: string): Promise<readonly Figure[]> {
  mkdirSync(directory)
  const pair = await startables(context, directory)
  return await figuresBeside(
    context,
    pair,
    asked,
    async ({ start }): Promise<readonly Sample[]> => {
      const broker = await start()
      try {
        await pause(context.size(settleMs, 10))
        const time = { value: broker.startSeconds, hash: hashOf() }
        return [time, memoryOf(new BrokerUse(broker.pid))]
      } finally {
        await broker.stop()
      }
    },
  )
}

async function startables(context: BenchmarkContext, directory: string): Promise<Pair<Startable>> {
  const varve = { name: 'Varve', start: () => serveVarve(`${directory}/varve`) }
  const broker = await kafkaOf(context, directory)
  if (typeof broker === 'string') {
    return { varve, kafka: null, conditions: { kafka: `not here: ${broker}` } }
  }
  const { java = 'java', javaArguments = [], port, version } = broker
  // It has made the directory, and says how it was started.
  await broker.stop()
  const start = (): Promise<StartedBroker> => startBrokerProgram(java, javaArguments, port)
  const kafka = { name: `Apache Kafka ${version}`, start }
  return { varve, kafka, conditions: { started: 'until Metadata names a broker' } }
}
