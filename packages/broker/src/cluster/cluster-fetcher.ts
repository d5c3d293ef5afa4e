import type { Connection, ConnectionPool } from '@platformatic/kafka'
import type { Isolation } from '@varve/log'
import type { Offset } from '@varve/record'
import { ClosedError } from '../base/broker-errors.ts'
import type { Cluster } from './cluster.ts'
import { ClusterRefusedError } from './cluster-errors.ts'
import type { ClusterPartition } from './cluster-topics.ts'
import { type FetchAnswer, type FetchedPartition, readFetchAnswer } from './fetch-answer.ts'
import { kafkaCodes } from './kafka-codes.ts'
import { BrokerAwayError } from './kafka-failures.ts'

/** A stretch of a partition that somebody wants. */
interface Want {
  readonly partition: ClusterPartition
  readonly offset: Offset
  readonly maxBytes: number
  /** Whether to wait at the end for more. */
  readonly waits: boolean
  readonly signal: AbortSignal
  readonly resolve: (fetched: FetchedPartition) => void
  readonly reject: (error: unknown) => void
}

/** One request at a time: a broker answers what comes behind it on the same connection later. */
interface Lane {
  readonly node: number
  readonly pool: ConnectionPool
  isBusy: boolean
}

/** How long a broker waits for records before it answers that there are none. */
const waitMs = 500
/** While one request waits at the ends of quiet partitions, others are read over other lanes. */
const lanesMax = 3
const answerBytesMax = 50 * 2 ** 20

/**
 * Fetches for one consumer: what it wants of partitions with the same leader goes into one request,
 * as Kafka's protocol means it.
 */
export class ClusterFetcher {
  readonly #cluster: Cluster
  readonly #isolation: Isolation
  readonly #lanes: Lane[] = []
  readonly #wants = new Set<Want>()
  #isScheduled = false
  #isClosed = false

  constructor(cluster: Cluster, isolation: Isolation) {
    this.#cluster = cluster
    this.#isolation = isolation
  }

  /**
   * What is in a partition from an offset on. Without `waits` perhaps nothing. Rejects, once, with
   * what the broker says.
   */
  fetch(want: Omit<Want, 'resolve' | 'reject'>): Promise<FetchedPartition> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(new ClosedError('the consumer'))
      this.#wants.add({ ...want, resolve, reject })
      this.#schedule()
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const wants = [...this.#wants]
    this.#wants.clear()
    for (const { reject } of wants) reject(new ClosedError('the consumer'))
    await Promise.all(this.#lanes.map(({ pool }) => this.#cluster.closePool(pool)))
  }

  /** In a moment: what is wanted by then goes together. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#send()
    })
  }

  #send(): void {
    const byNode = new Map<number, Want[]>()
    for (const want of this.#wants) {
      const { leader } = want.partition
      if (want.signal.aborted) {
        this.#wants.delete(want)
        want.reject(new ClosedError('the reader'))
      } else if (leader < 0) {
        this.#wants.delete(want)
        want.reject(new BrokerAwayError('the partition has no leader'))
      } else byNode.set(leader, [...(byNode.get(leader) ?? []), want])
    }
    for (const [node, wants] of byNode) {
      const lane = this.#freeLane(node)
      if (lane === null) continue
      for (const want of wants) this.#wants.delete(want)
      void this.#ask(lane, wants)
    }
  }

  #freeLane(node: number): Lane | null {
    const ours = this.#lanes.filter((lane) => lane.node === node)
    const free = ours.find(({ isBusy }) => !isBusy)
    if (free !== undefined) return free
    if (ours.length >= lanesMax) return null
    const pool = this.#cluster.newPool(this.#cluster.options.requestTimeoutMs + waitMs)
    const lane = { node, pool, isBusy: false }
    this.#lanes.push(lane)
    return lane
  }

  async #ask(lane: Lane, wants: readonly Want[]): Promise<void> {
    lane.isBusy = true
    try {
      const answer = await this.#cluster.on(
        lane.node,
        (connection) => this.#request(connection, wants),
        lane.pool,
      )
      if (answer.errorCode !== 0) throw refusal(answer.errorCode)
      const found = new Map(
        answer.partitions.map((each) => [`${each.topicId} ${each.partition}`, each]),
      )
      for (const want of wants) {
        this.#settle(want, found.get(`${want.partition.topicId} ${want.partition.partition}`))
      }
    } catch (error) {
      for (const { reject } of wants)
        reject(this.#isClosed ? new ClosedError('the consumer') : error)
    } finally {
      lane.isBusy = false
      if (this.#wants.size > 0) this.#schedule()
    }
  }

  #settle(want: Want, found: FetchedPartition | undefined): void {
    if (found === undefined) want.reject(new BrokerAwayError('the broker left a partition out'))
    else if (found.errorCode !== 0) want.reject(refusal(found.errorCode))
    else if ((found.bytes?.length ?? 0) > 0 || !want.waits) want.resolve(found)
    else if (this.#isClosed || want.signal.aborted) want.reject(new ClosedError('the reader'))
    else {
      this.#wants.add(want)
      this.#schedule()
    }
  }

  #request(connection: Connection, wants: readonly Want[]): Promise<FetchAnswer> {
    const { client } = this.#cluster
    const forms = [
      client.fetchV17,
      client.fetchV16,
      client.fetchV15,
      client.fetchV14,
      client.fetchV13,
    ]
    const api = this.#cluster.version(
      'Fetch',
      forms.map((form) => form.api),
    )
    const form = forms.find((each) => each.api === api) ?? client.fetchV17
    const topics = topicsOf(wants)
    const maxWaitMs = wants.every(({ waits }) => waits) ? waitMs : 0
    const level = this.#isolation === 'committed' ? 1 : 0
    return new Promise((resolve, reject) => {
      connection.send(
        api.key,
        api.version,
        () => form.createRequest(maxWaitMs, 1, answerBytesMax, level, 0, -1, topics, [], ''),
        (_id, _key, _version, reader) => readFetchAnswer(reader),
        true,
        true,
        (error, answer) => {
          if (answer === undefined || error !== null) reject(error)
          else resolve(answer)
        },
      )
    })
  }
}

function topicsOf(wants: readonly Want[]) {
  const topics = new Map<string, Want[]>()
  for (const want of wants) {
    const { topicId } = want.partition
    topics.set(topicId, [...(topics.get(topicId) ?? []), want])
  }
  return [...topics].map(([topicId, all]) => ({
    topicId,
    partitions: all.map(({ partition: { partition }, offset, maxBytes }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: maxBytes,
    })),
  }))
}

function refusal(code: number): ClusterRefusedError {
  const name = Object.entries(kafkaCodes).find(([, each]) => each === code)?.[0] ?? `error ${code}`
  return new ClusterRefusedError(code, name, 'fetching')
}
