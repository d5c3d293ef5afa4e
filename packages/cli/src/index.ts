/**
 * The verbs of the command `varve`.
 *
 * @example
 * ```ts
 * import { main } from '@varve/cli'
 *
 * process.exitCode = await main(['inspect', './data'])
 * ```
 *
 * @module
 */
export type { CommandIo, Input, Output } from './command-io.ts'
export { main } from './main.ts'
