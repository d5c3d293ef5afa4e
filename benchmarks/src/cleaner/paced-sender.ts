import type { Pace } from './paced-requests.ts'

// Sends a request whenever one is due, as clients do over sockets: whether or not those before were
// answered. A process of its own, so that nothing in the one that is measured can put off the load.

const never = new Int32Array(new SharedArrayBuffer(4))

process.on('message', ({ perSecond, startMs }: Pace) => {
  for (let index = 0; process.connected; index++) {
    const dueMs = startMs + (index * 1000) / perSecond
    for (let leftMs = dueMs - nowMs(); leftMs > 0; leftMs = dueMs - nowMs()) {
      Atomics.wait(never, 0, 0, leftMs)
    }
    process.send?.(dueMs)
  }
})
process.send?.('ready')

/** A clock that all processes share. */
function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
