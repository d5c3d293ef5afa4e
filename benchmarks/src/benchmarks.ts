import type { Benchmark } from './harness/benchmark.ts'
import { batchedAppends } from './log/batched-appends.bench.ts'
import { durableAppends } from './log/durable-appends.bench.ts'
import { reading } from './log/reading.bench.ts'

/** All there are, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [batchedAppends, durableAppends, reading]
