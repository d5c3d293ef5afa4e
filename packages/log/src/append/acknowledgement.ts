import { logChannels } from '../base/diagnostics.ts'
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
    const first = placed.findIndex(({ queued }) => queued.waiters.asksToBeFlushed)
    if (first >= 0) count = first
  }
  if (count === 0) return
  const acknowledged = placed.splice(0, count)
  const firstOffset = state.offsets.highWatermark
  const last = acknowledged.findLast((batch) => !batch.isDuplicate)
  if (last !== undefined) state.makeVisible(last.lastOffset + 1, last.end)
  let appends = 0
  for (const batch of acknowledged) {
    const { waiters } = batch.queued
    appends += waiters.size
    if (batch.isDuplicate) waiters.resolveAsDuplicate(batch.baseOffset, batch.lastOffset)
    else waiters.resolve(batch.baseOffset)
  }
  if (logChannels.append.hasSubscribers) {
    const nextOffset = state.offsets.highWatermark
    logChannels.append.publish({ log: state.name, appends, firstOffset, nextOffset })
  }
}
