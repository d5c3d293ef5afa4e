import { appendOnlyLogPeer } from './append-only-log-peer.ts'
import { eventStoragePeer } from './event-storage-peer.ts'
import { hypercorePeer } from './hypercore-peer.ts'
import { levelPeer } from './level-peer.ts'
import { lmdbPeer } from './lmdb-peer.ts'
import type { Peer } from './peer.ts'
import { sqlitePeer } from './sqlite-peer.ts'

/** Libraries that a program in Node would keep a log in, if not in Varve. */
export const peers: readonly Peer[] = [
  lmdbPeer,
  sqlitePeer,
  levelPeer,
  hypercorePeer,
  eventStoragePeer,
  appendOnlyLogPeer,
]
