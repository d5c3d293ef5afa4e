import { type Clock, systemClock } from '@varve/log'

/** When the clock of this process started by the clock of the machine, in ms. */
const startMs = Number(process.hrtime.bigint()) / 1e6 - systemClock.monotonic()

/**
 * A clock whose monotonic time is the machine's (on Linux, since it was started), so that what one
 * process notes another one can subtract. To the microsecond.
 */
export const machineClock: Clock = {
  now: () => systemClock.now(),
  monotonic: () => startMs + systemClock.monotonic(),
  setTimer: (delayMs, callback, options) => systemClock.setTimer(delayMs, callback, options),
}
