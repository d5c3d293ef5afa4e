import { type DeadLetter, readDeadLetter } from '@varve/broker'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes, throwIfInterrupted, UsageError } from '../command-io.ts'
import {
  type DeadLetterHome,
  openDeadLetters,
  type ReadRecord,
} from '../dead-letter/dead-letter-home.ts'
import { formatAmount, formatTimestamp } from '../human.ts'
import { requireCount } from '../option-checks.ts'
import { LineOutput } from '../output.ts'
import { utf8Text } from '../utf8.ts'

/** What every action of `varve dead-letter` is told. */
export interface DeadLetterOptions {
  /** The dead-letter topic itself. */
  readonly topic: string
  readonly home: Home
  readonly json: boolean
}

export interface ListDeadLettersOptions extends DeadLetterOptions {
  /** Null: all there are. */
  readonly max: number | null
}

/**
 * Lists dead letters: where each was, how often it was tried, why it was given up. Other records
 * are only counted; a topic that has nothing else is refused. Changes nothing, and takes no lock in
 * a directory.
 */
export async function listDeadLetters(
  options: ListDeadLettersOptions,
  io: CommandIo,
): Promise<number> {
  requireCount('max', options.max, 1)
  const lines = new LineOutput(io.stdout)
  await using home = await openDeadLetters(options.home, options.topic, io.clock)
  let left = options.max ?? Number.POSITIVE_INFINITY
  let listed = 0
  let others = 0
  for await (const { record, letter } of deadLettersIn(home, io)) {
    if (left === 0) break
    if (letter === null) {
      others += 1
      continue
    }
    left -= 1
    listed += 1
    if (options.json) lines.json(documentOf(record, letter))
    else lines.line(`${record.partition}/${record.offset}  ${textOf(letter)}`)
    if (lines.isFull) await lines.flush()
  }
  await lines.flush()
  if (listed === 0 && others > 0) {
    const has = `it has ${formatAmount(others, 'record')}, and no dead letter`
    const hint = 'name the topic that has the dead letters, such as <topic>.dead-letter'
    throw new UsageError(`'${options.topic}' is no dead-letter topic: ${has}`, hint)
  }
  if (others > 0) {
    const note = `${options.topic}: ${formatAmount(others, 'other record')}, not dead letters`
    await io.stderr.write(`varve: ${note}\n`)
  }
  return exitCodes.fine
}

export interface ReplayDeadLettersOptions extends DeadLetterOptions {
  /** To the partition where each was; else the key decides. */
  readonly toOriginalPartition: boolean
  /** Do it; else it is only said what would be. */
  readonly yes: boolean
}

/**
 * Sends the dead letters that were not replayed yet back to where they came from; without `yes`,
 * says how many there are in all.
 */
export async function replay(options: ReplayDeadLettersOptions, io: CommandIo): Promise<number> {
  const { topic, json, yes, toOriginalPartition } = options
  const lines = new LineOutput(io.stdout)
  await using home = await openDeadLetters(options.home, topic, io.clock)
  if (yes) {
    const report = await home.replay({ toOriginalPartition })
    if (json) lines.json({ topic, ...report })
    else {
      const letters = formatAmount(report.replayed, 'dead letter')
      const others = report.passedOver === 0 ? '' : `, ${report.passedOver} others passed over`
      lines.line(`${topic}: ${letters} replayed${others}`)
    }
  } else {
    const counts = new Map<string, number>()
    for await (const { letter } of deadLettersIn(home, io)) {
      if (letter !== null) counts.set(letter.topic, (counts.get(letter.topic) ?? 0) + 1)
    }
    if (json) lines.json({ topic, replayed: 0, deadLetters: Object.fromEntries(counts) })
    else {
      for (const [to, count] of counts) {
        lines.line(`${topic}: ${formatAmount(count, 'dead letter')} of ${to}`)
      }
      lines.line('Those that were not replayed before go back with --yes.')
    }
  }
  await lines.flush()
  return exitCodes.fine
}

interface ListedLetter {
  readonly record: ReadRecord
  /** Null for a record that is no dead letter. */
  readonly letter: DeadLetter | null
}

async function* deadLettersIn(
  home: DeadLetterHome,
  io: CommandIo,
): AsyncGenerator<ListedLetter, void, undefined> {
  for await (const record of home.records(io.signal)) {
    yield { record, letter: readDeadLetter(record) }
  }
  throwIfInterrupted(io)
}

function documentOf({ partition, offset, key }: ReadRecord, letter: DeadLetter): object {
  const text = key === null ? null : (utf8Text(key) ?? key.toString('base64'))
  const { headers: _, ...facts } = letter
  return { partition, offset, key: text, deadLetter: facts }
}

function textOf(letter: DeadLetter): string {
  const { topic, partition, offset, attempts, error, failedAt } = letter
  const tried = formatAmount(attempts, 'attempt')
  return `${topic}-${partition} offset ${offset}, ${tried}, ${formatTimestamp(failedAt)}: ${oneLine(error)}`
}

/** An error's message may hold anything, and must not look like another letter. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
