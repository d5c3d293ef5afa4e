import { nodeFileSystem } from '@varve/log'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { encodeExtent } from './extent-encoder.ts'
import type { ExtentOutcome, ExtentTask } from './extent-task.ts'

/** Runs in a worker thread. What it made is handed over, not copied. */
export function encode(task: ExtentTask): ExtentOutcome {
  try {
    const result = encodeExtent(nodeFileSystem, task)
    const outcome: ExtentOutcome = { isDone: true, result }
    return result.file === null ? outcome : handedOver(outcome, result.file)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    return { isDone: false, code: String(error.code), message: error.message }
  }
}

function handedOver(outcome: ExtentOutcome, file: Uint8Array): ExtentOutcome {
  const transferable = { [transferableSymbol]: [file.buffer], [valueSymbol]: outcome }
  return move(transferable as unknown as ArrayBuffer) as unknown as ExtentOutcome
}
