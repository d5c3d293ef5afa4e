import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What a process holds when everything that can be collected has been. */
export interface ProcessGauges {
  readonly heapUsedBytes: number
  /** Of buffers and the like, outside the heap. */
  readonly externalBytes: number
  readonly residentBytes: number
  /** Open files, sockets and pipes; 0 where the system does not tell. */
  readonly descriptors: number
  /** What keeps the event loop alive, or could: timers, requests, ports. */
  readonly resources: number
}

let collect: (() => void) | null = null

/** Collects garbage, twice, since the first time finalizers may free more; then looks. */
export async function readProcessGauges(): Promise<ProcessGauges> {
  collect ??= exposedCollector()
  for (let time = 0; time < 2; time++) {
    collect()
    // Callbacks of what was collected, and of files that were closed.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    heapUsedBytes: heapUsed,
    externalBytes: external,
    residentBytes: rss,
    descriptors: openDescriptors(),
    resources: process.getActiveResourcesInfo().length,
  }
}

/** What `--expose-gc` gives, also to a process that was started without it. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    // Not Linux.
    return 0
  }
}
