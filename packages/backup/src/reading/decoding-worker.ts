import { move, transferableSymbol, valueSymbol } from 'piscina'
import { decodeTask } from './object-decoder.ts'
import type { ObjectOutcome, ObjectTask } from './object-task.ts'

/** Runs in a worker thread. The content, and all memory that came, is handed over, not copied. */
export function decode(task: ObjectTask): ObjectOutcome {
  const outcome = decodeTask(task)
  // It is rare, and its memory may go.
  if (!outcome.isSound) return { ...outcome, memory: [] }
  const transferred = new Set(outcome.memory.map(({ buffer }) => buffer))
  const { content } = outcome
  // Content that lies elsewhere is handed over where it fills its memory, which is its own then;
  // otherwise the message has a copy of it.
  if (content !== null && content.byteLength === content.buffer.byteLength) {
    transferred.add(content.buffer)
  }
  const transferable = { [transferableSymbol]: [...transferred], [valueSymbol]: outcome }
  return move(transferable as unknown as ArrayBuffer) as unknown as ObjectOutcome
}
