import type { TopicPartition } from '../../base/topic-partition.ts'
import type { AssignableMember } from './assignor.ts'

interface Load {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  /** Those it had before come first, so that what it just got goes first when it gives. */
  readonly partitions: TopicPartition[]
}

/** How one partition came to be given on: from whom, and which. */
interface Handing {
  readonly from: Load
  readonly partition: TopicPartition
}

/** Partitions among members who may not all read the same topics, dealt out as evenly as can be. */
export class PartitionBalance {
  readonly #loads: readonly Load[]
  readonly #byMember = new Map<string, Load>()
  readonly #readers = new Map<string, Load[]>()

  constructor(members: readonly Pick<AssignableMember, 'memberId' | 'topics'>[]) {
    const ordered = [...members].sort((left, right) => (left.memberId < right.memberId ? -1 : 1))
    this.#loads = ordered.map(({ memberId, topics }) => ({
      memberId,
      topics: new Set(topics),
      partitions: [],
    }))
    for (const load of this.#loads) {
      this.#byMember.set(load.memberId, load)
      for (const topic of load.topics) {
        const readers = this.#readers.get(topic)
        if (readers === undefined) this.#readers.set(topic, [load])
        else readers.push(load)
      }
    }
  }

  mayRead(memberId: string, topic: string): boolean {
    return this.#byMember.get(memberId)?.topics.has(topic) ?? false
  }

  partitionsOf(memberId: string): readonly TopicPartition[] {
    return this.#byMember.get(memberId)?.partitions ?? []
  }

  keep(memberId: string, partition: TopicPartition): void {
    this.#byMember.get(memberId)?.partitions.push(partition)
  }

  /** Gives each partition to its least loaded reader, those with the fewest readers first. */
  deal(partitions: readonly TopicPartition[]): void {
    const choices = (partition: TopicPartition): number =>
      this.#readers.get(partition.topic)?.length ?? 0
    const ordered = [...partitions].sort((left, right) => choices(left) - choices(right))
    for (const partition of ordered) {
      let least: Load | null = null
      for (const reader of this.#readers.get(partition.topic) ?? []) {
        if (least === null || reader.partitions.length < least.partitions.length) least = reader
      }
      least?.partitions.push(partition)
    }
  }

  /**
   * Moves partitions, each to one who may read it, until nobody has two more than another to whom
   * any chain of such moves leads. Each move makes the balance better, so it ends.
   */
  even(): void {
    for (;;) {
      const heaviestFirst = this.#loads.toSorted(
        (left, right) => right.partitions.length - left.partitions.length,
      )
      const settled = new Set<Load>()
      const isAnyRelieved = heaviestFirst.some(
        (load) => !settled.has(load) && this.#relieve(load, settled),
      )
      if (!isAnyRelieved) return
    }
  }

  /**
   * Takes one partition off a member, if there is a much less loaded one for it. If not, there is
   * none either for those that it leads to, who have no more than it: they are settled with it.
   */
  #relieve(heavy: Load, settled: Set<Load>): boolean {
    const spread = new Set<string>()
    const cameFrom = new Map<Load, Handing | null>([[heavy, null]])
    const waiting: Load[] = [heavy]
    let lightest: Load | null = null
    for (let load = waiting.shift(); load !== undefined; load = waiting.shift()) {
      for (const [topic, partition] of latestByTopic(load)) {
        if (spread.has(topic)) continue
        spread.add(topic)
        for (const reader of this.#readers.get(topic) ?? []) {
          if (cameFrom.has(reader)) continue
          cameFrom.set(reader, { from: load, partition })
          waiting.push(reader)
          if (lightest === null || reader.partitions.length < lightest.partitions.length) {
            lightest = reader
          }
        }
      }
    }
    if (lightest === null || heavy.partitions.length - lightest.partitions.length < 2) {
      for (const load of cameFrom.keys()) settled.add(load)
      return false
    }
    let to = lightest
    for (let handing = cameFrom.get(to); handing != null; handing = cameFrom.get(to)) {
      const { from, partition } = handing
      from.partitions.splice(from.partitions.indexOf(partition), 1)
      to.partitions.push(partition)
      to = from
    }
    return true
  }
}

function latestByTopic({ partitions }: Load): Map<string, TopicPartition> {
  return new Map(partitions.map((partition) => [partition.topic, partition]))
}
