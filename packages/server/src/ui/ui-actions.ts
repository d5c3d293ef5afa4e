import { resetOffset } from '@varve/broker'
import type { CleanerReport } from '@varve/cleaner'
import { InvalidArgumentError, type Offset } from '@varve/record'
import type { ChangeAnswer } from './answers.ts'
import type { UiContext } from './ui-context.ts'
import { UiRequestError } from './ui-errors.ts'
import { type Fields, fieldsOf } from './ui-fields.ts'

/** Each change by its name in the path: what it does with what the page sent. */
export const uiActions: Readonly<
  Record<string, (context: UiContext, fields: Fields) => Promise<ChangeAnswer>>
> = {
  'create-topic': createTopic,
  'delete-topic': deleteTopic,
  'delete-records': deleteRecords,
  'reset-offsets': resetOffsets,
  'delete-group': deleteGroup,
  'run-cleaning': runCleaning,
}

/** Does what a name stands for. Rejects with UiRequestError, and as what it does rejects. */
export async function runAction(
  context: UiContext,
  name: string,
  body: unknown,
): Promise<ChangeAnswer> {
  const action = Object.hasOwn(uiActions, name) ? uiActions[name] : undefined
  if (action === undefined) throw new UiRequestError(404, 'that cannot be done here')
  const answer = await action(context, fieldsOf(body))
  context.logger.info({ action: name, request: body }, `by the page: ${answer.done}`)
  return answer
}

async function createTopic({ varve }: UiContext, fields: Fields): Promise<ChangeAnswer> {
  const name = fields.text('topic')
  const partitions = fields.whole('partitions') ?? 1
  const policy = fields.optionalText('cleanupPolicy') ?? 'delete'
  const retentionMs = fields.whole('retentionMs')
  const policies = policy.split(',').map((each) => {
    if (each === 'compact' || each === 'delete') return each
    throw new InvalidArgumentError('cleanupPolicy', policy, 'must be delete, compact or both')
  })
  const kept = retentionMs === null ? {} : { retentionMs }
  await varve.createTopic(name, { partitions, cleanupPolicy: policies, ...kept })
  return { done: `made topic ${name} with ${counted(partitions, 'partition')}` }
}

async function deleteTopic({ varve }: UiContext, fields: Fields): Promise<ChangeAnswer> {
  const name = fields.text('topic')
  fields.confirms(name)
  await varve.deleteTopic(name)
  return { done: `deleted topic ${name}` }
}

/** Of one partition, everything before an offset. */
async function deleteRecords({ parts }: UiContext, fields: Fields): Promise<ChangeAnswer> {
  const name = fields.text('topic')
  fields.confirms(name)
  const partition = fields.whole('partition') ?? 0
  const topic = parts.topics.topic(name)
  if (topic.isInternal) throw new UiRequestError(400, `${name} is one of Kafka's own topics`)
  const { log } = topic.partition(partition)
  const before = fields.whole('before') ?? log.highWatermark
  const start = log.logStartOffset
  await log.deleteSegmentsBefore(before)
  const count = Math.max(0, log.logStartOffset - start)
  return { done: `deleted ${counted(count, 'record')} of ${log.name}` }
}

async function resetOffsets({ varve, parts }: UiContext, fields: Fields): Promise<ChangeAnswer> {
  const group = fields.text('group')
  fields.confirms(group)
  const topic = fields.text('topic')
  const partition = fields.whole('partition')
  const target = targetOf(fields)
  const coordinator = await varve.groups()
  const store = coordinator.storeOf(group)
  const found = parts.topics.topic(topic)
  const partitions = partition === null ? found.partitions : [found.partition(partition)]
  const offsets: { topic: string; partition: number; offset: Offset }[] = []
  for (const { log, partition } of partitions) {
    const committed = store.committed(group, topic, partition)?.offset ?? null
    offsets.push({ topic, partition, offset: await resetOffset(target, log, committed) })
  }
  await coordinator.resetOffsets(group, offsets)
  return { done: `set group ${group} in ${counted(offsets.length, 'partition')} of ${topic}` }
}

function targetOf(fields: Fields): Parameters<typeof resetOffset>[0] {
  const to = fields.text('to')
  if (to === 'earliest' || to === 'latest') return to
  const at = fields.whole('at')
  if (at === null) throw new UiRequestError(400, 'at is missing: an offset, or a time in ms')
  if (to === 'offset') return { offset: at }
  if (to === 'time') return { timestamp: at }
  throw new UiRequestError(400, 'to must be earliest, latest, offset or time')
}

async function deleteGroup({ varve }: UiContext, fields: Fields): Promise<ChangeAnswer> {
  const group = fields.text('group')
  fields.confirms(group)
  await (await varve.groups()).delete(group)
  return { done: `deleted group ${group} with its offsets` }
}

async function runCleaning({ varve }: UiContext, fields: Fields): Promise<ChangeAnswer> {
  fields.confirms('run')
  return { done: reportOf(await varve.cleaner.runOnce()) }
}

function reportOf({ retention, compaction }: CleanerReport): string {
  let segments = 0
  for (const { deletions } of retention.values()) {
    for (const deletion of deletions) segments += deletion.segments.length
  }
  const deleted = `retention deleted ${counted(segments, 'segment')}`
  return `${deleted}; ${counted(compaction.size, 'log')} compacted`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
