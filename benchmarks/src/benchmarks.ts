import { backup } from './backup/backup.bench.ts'
import { backupOverhead } from './backup/backup-overhead.bench.ts'
import { appendsBesideCompaction } from './cleaner/appends-beside-compaction.bench.ts'
import { compaction } from './cleaner/compaction.bench.ts'
import { retention } from './cleaner/retention.bench.ts'
import type { Benchmark } from './harness/benchmark.ts'
import { batchedAppends } from './log/batched-appends.bench.ts'
import { compressedLog } from './log/compressed-log.bench.ts'
import { durableAppends } from './log/durable-appends.bench.ts'
import { flushedBatches } from './log/flushed-batches.bench.ts'
import { memory } from './log/memory.bench.ts'
import { offsetIndex } from './log/offset-index.bench.ts'
import { opening } from './log/opening.bench.ts'
import { partitions } from './log/partitions.bench.ts'
import { reading } from './log/reading.bench.ts'
import { readingAtOnce } from './log/reading-at-once.bench.ts'
import { recordSizes } from './log/record-sizes.bench.ts'
import { recovery } from './log/recovery.bench.ts'
import { tail } from './log/tail.bench.ts'
import { peersBatchedAppends } from './peers/peers-batched-appends.bench.ts'
import { peersBrokers } from './peers/peers-brokers.bench.ts'
import { peersDurableAppends } from './peers/peers-durable-appends.bench.ts'
import { peersReading } from './peers/peers-reading.bench.ts'
import { batches } from './record/batches.bench.ts'
import { checksums } from './record/checksums.bench.ts'
import { compression } from './record/codecs.bench.ts'
import { murmur2Hashes } from './record/murmur2.bench.ts'
import { varints } from './record/varints.bench.ts'
import { scaleConsumers } from './scale/scale-consumers.bench.ts'
import { scaleKeys } from './scale/scale-keys.bench.ts'
import { scaleLogSize } from './scale/scale-log-size.bench.ts'
import { scalePartitions } from './scale/scale-partitions.bench.ts'
import { scaleSegments } from './scale/scale-segments.bench.ts'
import { messages } from './server/messages.bench.ts'
import { serverFlushed } from './server/server-flushed.bench.ts'
import { serverIdle, serverIdlePolls } from './server/server-idle.bench.ts'
import { serverLatency, serverLatencyFlushed } from './server/server-latency.bench.ts'
import { serverStart } from './server/server-start.bench.ts'
import { serverAcksAll, serverWritten } from './server/server-throughput.bench.ts'
import { steadyMemory } from './soak/steady-memory.bench.ts'

/** All there are, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  batchedAppends,
  flushedBatches,
  durableAppends,
  reading,
  readingAtOnce,
  tail,
  compressedLog,
  recovery,
  opening,
  memory,
  steadyMemory,
  partitions,
  recordSizes,
  compaction,
  retention,
  appendsBesideCompaction,
  backup,
  backupOverhead,
  peersDurableAppends,
  peersBatchedAppends,
  peersReading,
  peersBrokers,
  serverStart,
  serverWritten,
  serverAcksAll,
  serverFlushed,
  serverLatency,
  serverLatencyFlushed,
  serverIdle,
  serverIdlePolls,
  scaleLogSize,
  scaleSegments,
  scalePartitions,
  scaleConsumers,
  scaleKeys,
  varints,
  checksums,
  batches,
  compression,
  murmur2Hashes,
  offsetIndex,
  messages,
]
