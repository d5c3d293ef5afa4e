import type { Topic } from '@varve/broker/serving'
import { clusterResource } from '../base/access.ts'
import { type ApiHandler, type Call, handlerOf } from '../base/api-handler.ts'
import type { ServerContext } from '../base/server-context.ts'
import type { RequestOf, ResponseOf } from '../protocol/api-declaration.ts'
import { describeLogDirs } from '../protocol/apis/describe-log-dirs.ts'
import { errorCodes } from '../protocol/error-codes.ts'

type Asked = RequestOf<typeof describeLogDirs>['topics']
type Directory = ResponseOf<typeof describeLogDirs>['results'][number]
type TopicAnswer = Directory['topics'][number]

/** DescribeLogDirs: the one data directory, and what partitions take in it. */
export function describeLogDirsHandler(server: ServerContext): ApiHandler {
  return handlerOf(describeLogDirs, { versions: '0-5' }, async (call, request) => {
    if (!call.may('describe', 'cluster', clusterResource)) {
      return { errorCode: errorCodes.CLUSTER_AUTHORIZATION_FAILED, results: [] }
    }
    const { topics } = server.parts
    const { path } = topics.directory
    const { fs } = server.parts
    const [totalBytes, usableBytes] = await Promise.all([
      known(fs.totalBytes?.(path)),
      known(fs.freeBytes(path)),
    ])
    const directory: Directory = {
      ...{ errorCode: errorCodes.NONE, logDir: path, totalBytes, usableBytes },
      topics: await topicsAsked(server, call, request.topics),
    }
    return { errorCode: errorCodes.NONE, results: [directory] }
  })
}

/** Kafka's -1 where it is not known. */
async function known(bytes: Promise<number> | undefined): Promise<number> {
  const found = (await bytes?.catch(() => -1)) ?? -1
  return Number.isSafeInteger(found) ? found : -1
}

/** What is not there is left out. */
async function topicsAsked(
  { parts: { topics } }: ServerContext,
  { turns }: Call,
  asked: Asked,
): Promise<TopicAnswer[]> {
  const wanted =
    asked === null
      ? await turns.map(topics.all, (topic) => described(topic, null))
      : await turns.map([...partitionsByTopic(asked)], ([name, partitions]) => {
          const topic = topics.find(name)
          return topic === null ? null : described(topic, partitions)
        })
  return wanted.filter((topic) => topic !== null && topic.partitions.length > 0) as TopicAnswer[]
}

/** A topic that is named twice is looked through once. */
function partitionsByTopic(asked: Exclude<Asked, null>): ReadonlyMap<string, ReadonlySet<number>> {
  const byTopic = new Map<string, Set<number>>()
  for (const { topic, partitions } of asked) {
    const known = byTopic.get(topic) ?? new Set()
    byTopic.set(topic, known)
    for (const partition of partitions) known.add(partition)
  }
  return byTopic
}

function described({ name, partitions }: Topic, wanted: ReadonlySet<number> | null): TopicAnswer {
  return {
    name,
    partitions: partitions.flatMap(({ partition: partitionIndex, openLog }) => {
      if (openLog === null || wanted?.has(partitionIndex) === false) return []
      const { sizeBytes: partitionSize } = openLog
      return [{ partitionIndex, partitionSize, offsetLag: 0, isFutureKey: false }]
    }),
  }
}
