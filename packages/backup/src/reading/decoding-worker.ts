import { move, transferableSymbol, valueSymbol } from 'piscina'
import { decodeTask } from './object-decoder.ts'
import type { ObjectOutcome, ObjectTask } from './object-task.ts'

/** Runs in a worker thread. The content is handed over, not copied. */
export function decode(task: ObjectTask): ObjectOutcome {
  const outcome = decodeTask(task)
  const content = outcome.isSound ? outcome.content : null
  if (content === null) return outcome
  const { buffer } = content
  // A view of the file that was handed in takes that along: it is little more. Memory that others
  // share must stay.
  const isOwn = content.byteLength === buffer.byteLength || isWhole(task.file, buffer)
  if (!isOwn) return { isSound: true, content: new Uint8Array(content) }
  const transferable = { [transferableSymbol]: [buffer], [valueSymbol]: outcome }
  return move(transferable as unknown as ArrayBuffer) as unknown as ObjectOutcome
}

/** Whether a file is all that there is in some memory. */
function isWhole(file: Uint8Array, buffer: ArrayBufferLike): boolean {
  return file.buffer === buffer && file.byteLength === buffer.byteLength
}
