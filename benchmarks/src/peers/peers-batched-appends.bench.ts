import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { holdField } from '../harness/contest.ts'
import type { Figure } from '../harness/figure.ts'
import { payloadOf } from '../harness/payload.ts'
import type { Peer, Promised } from './peer.ts'
import { appending, groupsOf, settingsOf } from './peer-contender.ts'
import { peers } from './peers.ts'
import { varve } from './varve-peer.ts'

export const peersBatchedAppends: Benchmark = {
  name: 'peers-batched-appends',
  summary: 'a thousand records an append, one append after the other, beside other libraries',
  async run(context) {
    const figures: Figure[] = []
    for (const promised of ['flushed', 'written'] as const) {
      for (const recordBytes of [100, 1_024]) {
        figures.push(...(await ofSize(context, promised, recordBytes)))
      }
    }
    return figures
  },
}

async function ofSize(
  context: BenchmarkContext,
  promised: Promised,
  recordBytes: number,
): Promise<readonly Figure[]> {
  const batch = context.size(1_000, 100)
  const count = context.size(recordBytes === 100 ? 100_000 : 20_000, 400)
  const payload = payloadOf(recordBytes, context.size(4_000, 400))
  const groups = groupsOf(payload.records, batch, count)
  const contender = (peer: Peer) =>
    appending(context, peer, promised, groups.length * batch, async (store) => {
      for (const group of groups) await store.appendBatch(group)
    })
  const rivals = peers.filter(({ promises }) => promises.includes(promised))
  return await holdField(context, {
    name: `${recordBytes} B, ${promised}`,
    unit: 'records/s',
    measured: contender(varve),
    rivals: rivals.map(contender),
    conditions: {
      payload: payload.description,
      acks: promised,
      batch: `${batch} records`,
      ...settingsOf([varve, ...rivals]),
    },
  })
}
