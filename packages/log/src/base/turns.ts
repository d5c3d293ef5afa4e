import type { Clock } from './clock.ts'

/**
 * Resolves when every promise callback that is due has run: whoever was just acknowledged has had
 * the chance to append again, and shares the next group. Costs less than a microsecond.
 */
export function nextTurn(): Promise<void> {
  // Not queueMicrotask, which makes a resource of every call for async_hooks.
  return new Promise((resolve) => void settled.then(() => process.nextTick(resolve)))
}

const settled: Promise<void> = Promise.resolve()

/** Without a wait for anything else, the event loop has its turn after so long. */
const turnMs = 5
/** What is asked this often does not look at the clock each time. */
const callsPerLook = 4

let calls = 0
let lastTurnMs = 0
let turn: Promise<void> | null = null

/**
 * For work that may be done at once, again and again, with nothing but promise callbacks between:
 * they alone would never let timers and sockets have their turn. Every few milliseconds there is
 * something to be waited for, by everybody in this thread who asks.
 */
export function turnWhenDue(clock: Clock): Promise<void> | null {
  if (turn !== null) return turn
  calls = (calls + 1) % callsPerLook
  if (calls !== 0) return null
  const nowMs = clock.monotonic()
  if (nowMs >= lastTurnMs && nowMs < lastTurnMs + turnMs) return null
  turn = pollTurn().then(() => {
    turn = null
    lastTurnMs = clock.monotonic()
  })
  return turn
}

/** Resolves after the event loop has looked at timers, sockets and finished file operations. */
export function pollTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
