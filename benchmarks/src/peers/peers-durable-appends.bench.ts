import type { Benchmark, BenchmarkContext } from '../harness/benchmark.ts'
import { type Contender, holdField, type Rival, secondsOf } from '../harness/contest.ts'
import type { Bar, Figure } from '../harness/figure.ts'
import { LoopHealth } from '../harness/loop-health.ts'
import { type Payload, payloadOf } from '../harness/payload.ts'
import { appendInFlight } from '../log/append-driver.ts'
import { BareGroupCommit, bareContentHash } from '../log/bare-group-commit.ts'
import type { Peer } from './peer.ts'
import { appending, settingsOf } from './peer-contender.ts'
import { peers } from './peers.ts'
import { varve, varvePeer } from './varve-peer.ts'

const recordBytes = 100

/** Callers that each wait for an append before they make the next, and appends of a full run. */
const levels = [
  { inFlight: 1, appends: 2_000 },
  { inFlight: 16, appends: 16_000 },
  { inFlight: 64, appends: 48_000 },
  { inFlight: 1_024, appends: 200_000 },
  { inFlight: 8_192, appends: 400_000 },
] as const

/** For those who prefer latency over everything: it stands beside those that block the loop. */
const varveOnLoop = varvePeer('varve, flushed on the loop', { flushOn: 'loop' })

/** So that everybody's code is compiled when the few appends of the first level are measured. */
const warmUp = { inFlight: 1_024, appends: 50_000 } as const

export const peersDurableAppends: Benchmark = {
  name: 'peers-durable-appends',
  summary: 'one record and one promise an append that a power cut spares, beside other libraries',
  async run(context) {
    const payload = payloadOf(recordBytes, context.size(16_384, 1_024))
    const figures: Figure[] = []
    const rivals = [varveOnLoop, ...peers].filter(({ promises }) => promises.includes('flushed'))
    const contenderAt = (peer: Peer, inFlight: number, count: number): Contender =>
      appending(context, peer, 'flushed', count, (store) =>
        appendInFlight(payload, inFlight, count, (record) => store.append(record)),
      )
    for (const peer of context.isSmoke ? [] : [varve, ...rivals]) {
      await contenderAt(peer, warmUp.inFlight, warmUp.appends).measure()
    }
    for (const { inFlight, appends } of levels) {
      const count = context.size(appends, inFlight + 16)
      const contender = (peer: Peer): Contender => contenderAt(peer, inFlight, count)
      figures.push(
        ...(await holdField(context, {
          name: `${inFlight} in flight`,
          unit: 'appends/s',
          measured: contender(varve),
          rivals: [
            bareLoop(context, payload, inFlight, count),
            ...rivals.map((peer) => ({ ...contender(peer), ...barBeside(peer, inFlight) })),
          ],
          second: {
            measured: contender(varveOnLoop),
            rivals: peers
              .filter(({ name }) => name.startsWith('better-sqlite3'))
              .map((peer) => ({ ...contender(peer), bar: { kind: 'ratio', atLeast: 1 } })),
          },
          conditions: {
            payload: payload.description,
            acks: 'flushed',
            ...settingsOf([varve, ...rivals]),
          },
          plot: { curve: 'durable appends', along: 'appends in flight', at: inFlight },
        })),
      )
    }
    return figures
  },
}

/** Ahead of all from 1,024 in flight on; of those that do not block the event loop, at once. */
function barBeside({ name }: Peer, inFlight: number): { readonly bar?: Bar } {
  const isMany = inFlight >= 1_024
  if (/^(?:lmdb|classic-level)/.test(name))
    return { bar: { kind: 'ratio', atLeast: isMany ? 2 : 1 } }
  return isMany && /^better-sqlite3/.test(name) ? { bar: { kind: 'ratio', atLeast: 1 } } : {}
}

function bareLoop(
  context: BenchmarkContext,
  payload: Payload,
  inFlight: number,
  count: number,
): Rival {
  const measure = () =>
    context.withDirectory(async (path) => {
      const loop = new BareGroupCommit(path)
      const health = new LoopHealth()
      const seconds = await secondsOf(() =>
        appendInFlight(payload, inFlight, count, ({ bytes }) => loop.append(bytes)),
      )
      const aside = health.stop()
      loop.close()
      return { value: count / seconds, hash: bareContentHash(path), aside }
    })
  return { name: 'a bare group commit', measure, bar: { kind: 'ratio', atLeast: 0.9 } }
}
