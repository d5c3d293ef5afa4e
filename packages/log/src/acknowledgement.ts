import type { Waiter } from './append-queue.ts'
import { logChannels } from './diagnostics.ts'
import type { LogState } from './log-state.ts'
import type { PlacedBatch } from './placement.ts'

/**
 * Acknowledges batches in offset order, and makes them visible: with `written` up to the first
 * append that asks to be flushed, with `flushed` all that are left. Takes them out of `placed`.
 */
export function acknowledge(
  state: LogState,
  placed: PlacedBatch[],
  reached: 'written' | 'flushed',
): void {
  let count = placed.length
  if (reached === 'written') {
    const first = placed.findIndex(({ queued }) => queued.waiters.some(asksToBeFlushed))
    if (first >= 0) count = first
  }
  if (count === 0) return
  const acknowledged = placed.splice(0, count)
  const firstOffset = state.offsets.highWatermark
  const last = acknowledged.findLast((batch) => !batch.isDuplicate)
  if (last !== undefined) state.makeVisible(last.lastOffset + 1, last.end)
  let appends = 0
  for (const batch of acknowledged) {
    appends += batch.queued.waiters.length
    for (const waiter of batch.queued.waiters) resolveWaiter(waiter, batch)
  }
  if (logChannels.append.hasSubscribers) {
    const nextOffset = state.offsets.highWatermark
    logChannels.append.publish({ log: state.name, appends, firstOffset, nextOffset })
  }
}

function asksToBeFlushed({ acks }: Waiter): boolean {
  return acks === 'flushed'
}

function resolveWaiter(waiter: Waiter, batch: PlacedBatch): void {
  if (batch.isDuplicate) {
    const { baseOffset, lastOffset } = batch
    waiter.resolve({ baseOffset, lastOffset, isDuplicate: true })
    return
  }
  const baseOffset = batch.baseOffset + waiter.firstDelta
  const lastOffset = baseOffset + waiter.count - 1
  waiter.resolve({ baseOffset, lastOffset, isDuplicate: false })
}
