/**
 * What work beside logs is paced with: limits of bytes a second, pauses by the injected clock, and
 * the random numbers that keep many from doing the same at the same moment.
 *
 * @module
 */
export { IoThrottle, sleep } from './base/io-throttle.ts'
export { randomFraction } from './base/random-fraction.ts'
