import { fork } from 'node:child_process'
import { once } from 'node:events'

/** When requests are due. */
export interface Pace {
  readonly perSecond: number
  /** When the first is, in ms of the clock that all processes of the machine share. */
  readonly startMs: number
}

/**
 * An open loop: `request` is called so many times a second, whether or not those before are done,
 * while `work` goes on. Returns how long each took, in milliseconds, from when it was due.
 */
export async function pacedRequests(
  perSecond: number,
  request: (index: number) => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  const latencies: number[] = []
  const pending: Promise<void>[] = []
  const sender = fork(new URL('./paced-sender.js', import.meta.url), { execArgv: [] })
  await once(sender, 'message')
  const first = once(sender, 'message')
  sender.on('message', (dueMs: number) => {
    const one = async (): Promise<void> => {
      await request(pending.length)
      latencies.push(nowMs() - dueMs)
    }
    pending.push(one())
  })
  sender.send({ perSecond, startMs: nowMs() + 50 } satisfies Pace)
  await first
  await work()
  sender.removeAllListeners('message')
  sender.kill('SIGKILL')
  await once(sender, 'exit')
  await Promise.all(pending)
  return latencies
}

/** A closed loop: so many callers, of whom each waits before it asks again. In milliseconds. */
export async function eagerRequests(
  callers: number,
  request: (index: number) => Promise<unknown>,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  const latencies: number[] = []
  let isOver = false
  let index = 0
  const call = async (): Promise<void> => {
    while (!isOver) {
      const startedMs = performance.now()
      await request(index++)
      latencies.push(performance.now() - startedMs)
      // Whoever is served at once would never let timers and messages have their turn.
      if (index % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const calling = Array.from({ length: callers }, call)
  await work()
  isOver = true
  await Promise.all(calling)
  return latencies
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
