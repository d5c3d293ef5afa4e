import type { Argv } from 'yargs'
import type { CommandIo } from '../command-io.ts'

/**
 * Remembers the verb that was given: it runs when parsing is over, so that what parsing throws can
 * only be an error of usage.
 */
export type Choose = (run: (io: CommandIo) => Promise<number>) => void

export const text = { type: 'string', requiresArg: true } as const
export const number = { type: 'number', requiresArg: true } as const
/** May be given more than once. */
export const texts: {
  readonly type: 'string'
  readonly array: true
  readonly requiresArg: true
  readonly default: string[]
} = { type: 'string', array: true, requiresArg: true, default: [] }
export const flag = { type: 'boolean', default: false } as const

export function withJson<T>(verb: Argv<T>): Argv<T & { json: boolean }> {
  return verb.option('json', { ...flag, describe: 'Print for machines: JSON, a document a line' })
}

export function withPath<T>(verb: Argv<T>): Argv<T & { path: string }> {
  return verb.positional('path', {
    type: 'string',
    demandOption: true,
    describe: "A file, a partition's directory or a data directory, of Varve or of Kafka",
  })
}

export function withData<T>(verb: Argv<T>): Argv<T & { data: string }> {
  return verb.option('data', { ...text, demandOption: true, describe: 'The data directory' })
}

export function withPartition<T>(
  verb: Argv<T>,
): Argv<T & { topic: string; data: string; partition: number }> {
  return verb
    .positional('topic', { type: 'string', demandOption: true, describe: 'Name of the topic' })
    .option('data', { ...text, demandOption: true, describe: 'The data directory' })
    .option('partition', { ...number, default: 0, describe: 'Which of the topic’s partitions' })
}
