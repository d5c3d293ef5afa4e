/**
 * Resolves when every promise callback that is due has run: whoever was just acknowledged has had
 * the chance to append again, and shares the next group. Costs less than a microsecond.
 */
export function nextTurn(): Promise<void> {
  // Not queueMicrotask, which makes a resource of every call for async_hooks.
  return new Promise((resolve) => void settled.then(() => process.nextTick(resolve)))
}

const settled: Promise<void> = Promise.resolve()

/** Resolves after the event loop has looked at timers, sockets and finished file operations. */
export function pollTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
