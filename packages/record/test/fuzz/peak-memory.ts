import { readFileSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const garbageBytesMax = 16 * 1024 * 1024

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/**
 * The most memory that this process has had resident since the meter was made, over what it had
 * then. Exact where the kernel keeps the peak (Linux); elsewhere, what it has whenever it is
 * looked.
 */
export class PeakMemory {
  readonly #baseBytes: number
  readonly #baseUsedBytes: number
  #sampledBytes: number

  constructor() {
    collectGarbage()
    // Forgets the peak that there was before.
    if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5')
    this.#baseBytes = process.memoryUsage.rss()
    this.#sampledBytes = this.#baseBytes
    this.#baseUsedBytes = usedBytes()
  }

  /**
   * Collects the garbage when there is much of it: V8 lets hundreds of megabytes of buffers gather
   * that nobody holds, and tens of small objects the longer the busier the machine is; and what is
   * measured is what inputs take, not how long it waits. What one input takes at a time is not made
   * less by this.
   */
  tidy(): void {
    if (usedBytes() > garbageBytesMax + this.#baseUsedBytes) collectGarbage()
  }

  overBaseBytes(): number {
    this.#sampledBytes = Math.max(this.#sampledBytes, highWaterMark() ?? process.memoryUsage.rss())
    return this.#sampledBytes - this.#baseBytes
  }
}

/** In the heap and in buffers outside it, garbage included. */
function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function highWaterMark(): number | null {
  if (process.platform !== 'linux') return null
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))
  return line === null ? null : Number(line[1]) * 1024
}
