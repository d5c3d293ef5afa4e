import { type Acks, type Log, LogDirectory } from '@varve/log'
import { type CompressionType, InvalidArgumentError, type RecordInput } from '@varve/record'
import { type CommandIo, throwIfInterrupted } from '../command-io.ts'
import { formatBytes } from '../human.ts'
import type { Appended, AppendOptions, AppendTarget, OpenTarget } from './append-target.ts'

/** A slip of the finger must not fill the disk with directories. */
const newPartitionsMax = 1000

/** A partition of a data directory. Rejects as opening a directory does, with LogLockedError. */
export async function openLocalTarget(
  options: AppendOptions & { readonly data: string },
  io: CommandIo,
): Promise<OpenTarget> {
  const { data, topic, maxMessageBytes } = options
  const partition = options.partition ?? 0
  const directory = await LogDirectory.open(data, { log: { maxMessageBytes } })
  return {
    async target() {
      const log = await openPartition(directory, topic, partition, io)
      if (!options.json) await reportRecovery(log, io)
      return new LogTarget(log, partition, options)
    },
    close: () => directory.close(),
  }
}

/** A partition that nobody else writes to. */
export class LogTarget implements AppendTarget {
  readonly #log: Log
  readonly #partition: number
  readonly #options: { readonly acks: Acks; readonly compressionType: CompressionType }
  /** Of what is appended next. */
  #nextOffset: number

  constructor(
    log: Log,
    partition: number,
    { acks, compressionType }: Pick<AppendOptions, 'acks' | 'compressionType'>,
  ) {
    this.#log = log
    this.#partition = partition
    this.#options = { acks, compressionType }
    this.#nextOffset = log.logEndOffset
  }

  append(records: readonly RecordInput[]): Promise<readonly Appended[]> {
    // An append that waits for nothing does not learn its offsets; nobody else appends here.
    const firstOffset = this.#nextOffset
    this.#nextOffset += records.length
    const lastOffset = this.#nextOffset - 1
    const appended = {
      ...{ partition: this.#partition, records: records.length, firstOffset, lastOffset },
    }
    // What waits for the acknowledgement must not keep the records in memory: the log has them.
    return this.#log.append(records, this.#options).then(() => [appended])
  }
}

async function openPartition(
  directory: LogDirectory,
  topic: string,
  partition: number,
  io: CommandIo,
): Promise<Log> {
  const isThere = (number: number): boolean =>
    directory.logs.has(`${topic}-${number}`) || directory.failures.has(`${topic}-${number}`)
  if (!isThere(partition) && isThere(0)) throw await missingPartition(topic, partition, isThere)
  if (partition >= newPartitionsMax && !isThere(partition)) {
    const rule = `is not there; make a topic of so many partitions with \`varve topic\``
    throw new InvalidArgumentError('--partition', partition, rule)
  }
  for (let number = 0; number <= partition; number += 1) {
    throwIfInterrupted(io)
    if (!isThere(number)) await directory.createLog(topic, number)
  }
  return directory.log(topic, partition)
}

/**
 * A topic that is there does not grow by a slip of the finger: partitions are never taken away, and
 * keys change theirs when there are more.
 */
async function missingPartition(
  topic: string,
  partition: number,
  isThere: (number: number) => boolean,
): Promise<Error> {
  // Loaded for nothing else here: a program of that size takes its time.
  const { TopicNotFoundError } = await import('@varve/broker')
  let count = 1
  while (isThere(count)) count += 1
  return new TopicNotFoundError(topic, partition, count)
}

async function reportRecovery(log: Log, io: CommandIo): Promise<void> {
  const { cut } = log.recoveryReport
  if (cut === null) return
  const kept = cut.keptIn.length === 0 ? '' : `, kept in ${cut.keptIn.join(', ')}`
  await io.stderr.write(
    `${log.name}: recovered; cut at offset ${cut.offset}: ${formatBytes(cut.bytes)}${kept}\n`,
  )
}
