import type { ProducerStateInfo } from '@varve/log'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { ResponseOf } from '../protocol/api-declaration.ts'
import { describeProducers } from '../protocol/apis/describe-producers.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type TopicAnswer = ResponseOf<typeof describeProducers>['topics'][number]
type PartitionAnswer = TopicAnswer['partitions'][number]

/** DescribeProducers: what partitions know of those who number their batches. */
export function describeProducersHandler(server: ServerContext): ApiHandler {
  return handlerOf(describeProducers, { versions: '0' }, async (call, { topics }) => {
    // A partition that is named twice is described once: what is asked for is not to be multiplied.
    const wanted = new Map<string, Set<number>>()
    for (const { name, partitionIndexes } of topics) {
      const known = wanted.get(name) ?? new Set()
      wanted.set(name, known)
      for (const index of partitionIndexes) known.add(index)
    }
    const described = await call.turns.map([...wanted], async ([name, indexes]) => ({
      name,
      partitions: await call.turns.map([...indexes], (index) =>
        describe(server, call, name, index),
      ),
    }))
    return { topics: described }
  })
}

function describe(
  { parts }: ServerContext,
  call: Call,
  name: string,
  partitionIndex: number,
): PartitionAnswer {
  const refused = (errorCode: number): PartitionAnswer => {
    return { partitionIndex, errorCode, activeProducers: [] }
  }
  if (!call.may('read', 'topic', name)) return refused(errorCodes.TOPIC_AUTHORIZATION_FAILED)
  const partition = parts.topics.find(name)?.partitions[partitionIndex]
  if (partition === undefined) return refused(errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  try {
    const activeProducers = partition.log.producers().map(describeProducer)
    return { partitionIndex, errorCode: errorCodes.NONE, activeProducers }
  } catch (error) {
    return { partitionIndex, ...toldError(error), activeProducers: [] }
  }
}

function describeProducer(info: ProducerStateInfo): PartitionAnswer['activeProducers'][number] {
  return {
    producerId: info.producerId,
    producerEpoch: info.epoch,
    lastSequence: info.batches.at(-1)?.lastSequence ?? -1,
    lastTimestamp: info.lastTimestamp,
    coordinatorEpoch: info.coordinatorEpoch,
    currentTxnStartOffset: info.currentTransactionFirstOffset ?? -1,
  }
}
