/**
 * What tests of the engine, and of programs that embed it, need: a file system that can lose its
 * power, a clock that stands still, and random numbers that can be repeated.
 *
 * @module
 */
export {
  type CrashVariant,
  crashVariants,
  describeVariant,
  type RandomCrash,
} from './crash-variant.ts'
export type { Fault } from './fault-plan.ts'
export { ManualClock } from './manual-clock.ts'
export { describeOperation, type Operation } from './operation-journal.ts'
export { Random, seedFromEnvironment } from './random.ts'
export { SimulatedFileSystem } from './simulated-file-system.ts'
export type { SimulationOptions } from './simulated-kernel.ts'
export { PowerLostError } from './system-error.ts'
export { makeTemporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'
