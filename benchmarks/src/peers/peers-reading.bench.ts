import { mkdirSync } from 'node:fs'
import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, holdField } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import { SeededRandom } from '../harness/random.ts'
import type { PeerStore, RecordVisitor } from './peer.ts'
import { groupsOf, readingTwice, settingsOf } from './peer-contender.ts'
import { peers } from './peers.ts'
import { varvePeer } from './varve-peer.ts'

const recordBytes = 100
const batch = 100

/**
 * Segments of a tenth of the log: only the active one keeps its index in memory, so the log is ten
 * times what the memory for indexes covers.
 */
const segments = 10

interface OpenStore {
  readonly name: string
  readonly store: PeerStore
}

export const peersReading: Benchmark = {
  name: 'peers-reading',
  summary: 'reading from start to end, and single records by their number, beside other libraries',
  async run(context) {
    const count = context.size(300_000, 2_000)
    const segmentBytes = Math.ceil((count * (recordBytes + 16)) / segments)
    const contestants = [varvePeer('varve', { segmentBytes }), ...peers]
    const payload = payloadOf(recordBytes, context.size(16_000, 1_000))
    const groups = groupsOf(payload.records, batch, count)
    return await context.withDirectory(async (directory) => {
      mkdirSync(directory)
      const open: OpenStore[] = []
      try {
        for (const [index, peer] of contestants.entries()) {
          context.progress(`filling ${peer.name}`)
          // Reading does not ask how it was written; the weaker promise fills sooner.
          const promised = peer.promises.includes('written') ? 'written' : 'flushed'
          const store = await peer.open(`${directory}/${index}`, promised)
          open.push({ name: peer.name, store })
          for (const group of groups) await store.appendBatch(group)
        }
        const conditions = {
          payload: payload.description,
          ...settingsOf(contestants),
          log: `${count} records in batches of ${batch}, in the page cache; varve in ${segments} segments, of which one keeps its index in memory, CRC checked`,
        }
        return await compare(context, open, count, conditions)
      } finally {
        for (const { store } of open) await store.close()
      }
    })
  },
}

async function compare(
  context: BenchmarkContext,
  open: readonly OpenStore[],
  count: number,
  conditions: Readonly<Record<string, string>>,
): Promise<readonly Figure[]> {
  const random = new SeededRandom(5)
  const numbers = Array.from({ length: context.size(10_000, 200) }, () => random.integer(count))
  const sequential = open.map(({ name, store }) =>
    reading(name, count, (visitor) => store.readAll(visitor)),
  )
  const single = open.map(({ name, store }) =>
    reading(name, numbers.length, (visitor) => store.readEach(numbers, visitor)),
  )
  const bars = (rivals: readonly Contender[], name: string) =>
    rivals.map((rival) => {
      const isAsked = rival.name.startsWith(name)
      return isAsked ? { ...rival, bar: { kind: 'ratio', atLeast: 1 } as const } : rival
    })
  return [
    ...(await holdField(context, {
      name: 'from start to end',
      unit: 'records/s',
      measured: sequential[0] as Contender,
      rivals: sequential.slice(1),
      conditions,
    })),
    ...(await holdField(context, {
      name: 'single records at random',
      unit: 'reads/s',
      measured: single[0] as Contender,
      rivals: bars(single.slice(1), 'lmdb'),
      conditions,
    })),
  ]
}

function reading(
  name: string,
  count: number,
  read: (visitor: RecordVisitor) => Promise<void>,
): Contender {
  return { name, measure: () => readingTwice(name, count, read) }
}
