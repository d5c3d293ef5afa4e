import type { Partition, Topic } from '@varve/broker/serving'
import type { Acks, AppendResult } from '@varve/log'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import { kafkaErrorOf, toldError } from '../base/kafka-error.ts'
import type { ServerContext } from '../base/server-context.ts'
import { incomingBatch } from '../producing/incoming-batch.ts'
import { RefusedBatchError } from '../producing/refused-batch-error.ts'
import { UnansweredError } from '../producing/unanswered-error.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { produce } from '../protocol/apis/produce.ts'
import { errorCodes, errorMessages, errorNameOf } from '../protocol/error-codes.ts'
import { checkTransactionalAppend } from '../transactions/transactional-append.ts'

type Request = RequestOf<typeof produce>
type TopicRequest = Request['topicData'][number]
type PartitionRequest = TopicRequest['partitionData'][number]
type TopicAnswer = ResponseOf<typeof produce>['responses'][number]
type PartitionAnswer = TopicAnswer['partitionResponses'][number]

/**
 * Produce: batches are appended as they came. Offsets are given in the order of the requests; the
 * answers wait for the kernel (acks 1) or the disk (acks -1), together with those of all other
 * clients. Nobody is told of acks 0; where it fails the connection is closed, as Kafka does it.
 */
export function produceHandler(server: ServerContext): ApiHandler {
  const options = {
    versions: '3-13',
    advertised: '0-13',
    overlaps: true,
    keepsRequest: false,
    outlivesClient: true,
  }
  return handlerOf(produce, options, async (call, request) => {
    call.throttle?.countProduced()
    const acks = acksOf(request.acks)
    const responses = await call.turns.map(request.topicData, (topic) => {
      return answerTopic(server, call, request, topic, acks)
    })
    if (request.acks !== 0) return { responses }
    const failed = responses.flatMap(({ partitionResponses }) => partitionResponses)
    const failure = failed.find(({ errorCode }) => errorCode !== errorCodes.NONE)
    if (failure !== undefined) throw new UnansweredError(failure)
    return null
  })
}

/** What is asked for with 0 is written too before the request's memory is used again. */
function acksOf(acks: number): Acks | null {
  if (acks === -1) return 'flushed'
  return acks === 0 || acks === 1 ? 'written' : null
}

async function answerTopic(
  server: ServerContext,
  call: Call,
  request: Request,
  { name, topicId, partitionData }: TopicRequest,
  acks: Acks | null,
): Promise<TopicAnswer> {
  const { topics } = server.parts
  const topic = call.version >= 13 ? topics.findById(topicId) : topics.find(name)
  const refusal = refusalOf(call, request, topic, name, acks)
  const partitionResponses = await call.turns.map(partitionData, (partition) => {
    if (refusal !== null || topic === null || acks === null) {
      return refused(partition.index, refusal ?? errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
    }
    // Between two turns: there may be another of this name by now.
    if (topic.isDeleted) return refused(partition.index, goneCode(call))
    return append(server, call, request, topic, partition, acks)
  })
  return { name, topicId, partitionResponses }
}

/** What is wrong with a topic as a whole; null for nothing. */
function refusalOf(
  call: Call,
  { transactionalId }: Request,
  topic: Topic | null,
  name: string,
  acks: Acks | null,
): number | null {
  const { TRANSACTIONAL_ID_AUTHORIZATION_FAILED, TOPIC_AUTHORIZATION_FAILED } = errorCodes
  if (transactionalId !== null && !call.may('write', 'transactionalId', transactionalId)) {
    return TRANSACTIONAL_ID_AUTHORIZATION_FAILED
  }
  if (topic === null && call.version >= 13) return goneCode(call)
  if (!call.may('write', 'topic', topic?.name ?? name)) return TOPIC_AUTHORIZATION_FAILED
  if (topic === null) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION
  if (acks === null) return errorCodes.INVALID_REQUIRED_ACKS
  return topic.isInternal ? errorCodes.INVALID_TOPIC_EXCEPTION : null
}

function goneCode({ version }: Call): number {
  return version >= 13 ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION
}

/** Begins at once, so that requests that come later get later offsets. */
function append(
  server: ServerContext,
  call: Call,
  { transactionalId }: Request,
  topic: Topic,
  { index, records }: PartitionRequest,
  acks: Acks,
): PartitionAnswer | Promise<PartitionAnswer> {
  const partition = topic.partitions[index]
  if (partition === undefined) return refused(index, errorCodes.UNKNOWN_TOPIC_OR_PARTITION)
  const { settings } = topic
  const now = server.clock.now()
  try {
    const { checkRecords } = server.options
    const batch = incomingBatch(records, { version: call.version, settings, now, checkRecords })
    const { isTransactional } = batch
    if (isTransactional) {
      const place = { topic: topic.name, partition: index, transactionalId, version: call.version }
      checkTransactionalAppend(server, batch, place)
    }
    // Of a transaction the client's part outlives ours: see commitOffsetsInTransaction.
    const appended = partition.log.appendBatch(batch, { acks: isTransactional ? 'flushed' : acks })
    const timestamp = settings.messageTimestampType === 'LogAppendTime' ? now : -1
    return appended.then(
      (result) => appendedAnswer(partition, result, timestamp),
      (error: unknown) => failed(server, index, error),
    )
  } catch (error) {
    return failed(server, index, error)
  }
}

function appendedAnswer(
  partition: Partition,
  { baseOffset }: AppendResult,
  logAppendTimeMs: number,
): PartitionAnswer {
  return {
    index: partition.partition,
    errorCode: errorCodes.NONE,
    ...{ baseOffset, logAppendTimeMs },
    logStartOffset: partition.openLog?.logStartOffset ?? -1,
  }
}

function failed(server: ServerContext, index: number, error: unknown): PartitionAnswer {
  if (kafkaErrorOf(error) === null) server.logger.error({ err: error }, 'appending failed')
  const { errorCode, errorMessage } = toldError(error)
  const recordErrors = error instanceof RefusedBatchError ? error.problems : []
  return { index, errorCode, errorMessage, recordErrors, baseOffset: -1 }
}

function refused(index: number, errorCode: number): PartitionAnswer {
  const name = errorNameOf(errorCode)
  const errorMessage = name === undefined ? null : errorMessages[name]
  return { index, errorCode, errorMessage, baseOffset: -1 }
}
