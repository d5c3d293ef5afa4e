import assert from 'node:assert/strict'

/** A call that shall fail. */
export interface Fault {
  /**
   * `EIO` fails any call; `ENOSPC` those that need space (creating, writing, flushing, making and
   * renaming); `short` makes a write take only the first half of its bytes, and report that.
   * Calls of other kinds that the fault falls on succeed.
   */
  readonly kind: 'EIO' | 'ENOSPC' | 'short'
  /** How many calls pass before it; default 0: the very next. */
  readonly after?: number
  /** Which calls count (default `changes`): all, or those that change or flush something. */
  readonly counting?: 'calls' | 'changes'
  /** Default false: that one call. True: it and every later one. */
  readonly isLasting?: boolean
  /**
   * What reads see, after a failed datasync, of the data that it should have written. Linux's file
   * systems mark the pages clean and mostly keep them (default); `dropped`: the old data is back.
   */
  readonly cache?: 'kept' | 'dropped'
}

/** What a call does, for which faults it can have. */
export interface Call {
  readonly syscall: string
  readonly path: string
  readonly isChange: boolean
  readonly needsSpace: boolean
}

/** Counts calls, and picks those that fail. */
export class FaultPlan {
  /** Calls so far. */
  calls = 0
  /** Calls so far that change or flush something, failed ones included. */
  changes = 0
  /** Calls that were made to fail or fall short. */
  hits = 0
  #planned: PlannedFault[] = []

  add(fault: Fault): void {
    const after = fault.after ?? 0
    assert(Number.isSafeInteger(after) && after >= 0, 'a fault comes after 0 or more calls')
    const counting = fault.counting ?? 'changes'
    this.#planned.push({ fault, counting, at: this[counting] + after + 1 })
  }

  clear(): void {
    this.#planned = []
  }

  /** Counts a call; the fault it must have, or null. */
  count(call: Call): Fault | null {
    this.calls += 1
    if (call.isChange) this.changes += 1
    if (this.#planned.length === 0) return null
    let found: Fault | null = null
    for (const { fault, counting, at } of this.#planned) {
      if (counting === 'changes' && !call.isChange) continue
      const isDue = fault.isLasting === true ? this[counting] >= at : this[counting] === at
      if (isDue && canHave(call, fault)) found ??= fault
    }
    if (found !== null) this.hits += 1
    return found
  }
}

interface PlannedFault {
  readonly fault: Fault
  readonly counting: 'calls' | 'changes'
  /** The count of the call to fail. */
  readonly at: number
}

function canHave(call: Call, fault: Fault): boolean {
  if (fault.kind === 'EIO') return true
  if (fault.kind === 'ENOSPC') return call.needsSpace
  return call.syscall === 'write'
}
