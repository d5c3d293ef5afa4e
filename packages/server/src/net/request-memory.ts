import { MemoryBudget } from '../base/memory-budget.ts'
import { FramePool } from './frame-pool.ts'

/**
 * Memory that requests take between their coming and their answer, over all connections. Whoever
 * finds it full stops reading from its clients until there is room.
 */
export class RequestMemory extends MemoryBudget {
  /** What it lies in, and what answers lie in that are made in memory of a connection. */
  readonly frames: FramePool = new FramePool()
}
