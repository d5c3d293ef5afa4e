import { move, transferableSymbol, valueSymbol } from 'piscina'
import { decodeTask } from './object-decoder.ts'
import type { ObjectOutcome, ObjectTask } from './object-task.ts'

/** Runs in a worker thread. The content is handed over, not copied. */
export function decode(task: ObjectTask): ObjectOutcome {
  const outcome = decodeTask(task)
  const content = outcome.isSound ? outcome.content : null
  if (content === null) return outcome
  // What is a view of the file that was handed in, or of pooled memory, must not take that along.
  const isOwn = content.byteLength === content.buffer.byteLength
  if (!isOwn) return { isSound: true, content: new Uint8Array(content) }
  const transferable = { [transferableSymbol]: [content.buffer], [valueSymbol]: outcome }
  return move(transferable as unknown as ArrayBuffer) as unknown as ObjectOutcome
}
