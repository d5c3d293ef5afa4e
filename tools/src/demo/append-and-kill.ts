import { systemClock } from '@varve/log'
import type { Random } from '@varve/log/testing'
import type { CorpusFile } from './corpus.ts'
import type { WriterArguments } from './demo-settings.ts'
import type { Ledger } from './ledger.ts'
import { Bar, count, mebibytes, milliseconds, print, styled } from './screen.ts'
import type { OpenedMessage } from './writer-messages.ts'
import { WriterProcess } from './writer-process.ts'

export interface AppendRun {
  /** Milliseconds in which appends were under way, without the starting of processes. */
  readonly appendingMs: number
  readonly flushes: number
  /** When the last of the kills happened, in milliseconds since the epoch. */
  readonly killedAt: number
}

export interface AppendRunOptions {
  readonly writer: WriterArguments
  readonly corpus: readonly CorpusFile[]
  readonly ledger: Ledger
  readonly random: Random
  readonly kills: number
}

/** After the record that sets off a kill it comes at some moment within this. */
const killDelayMsMax = 12

/**
 * Has the corpus appended by a child process, which is killed on the way as often as is asked for
 * and started again: each at a random moment of its own stretch of the work.
 */
export async function appendAndKill(options: AppendRunOptions): Promise<AppendRun> {
  const { corpus, ledger, random, kills } = options
  const run = { appendingMs: 0, flushes: 0, killedAt: 0 }
  for (let life = 0; life <= kills; life += 1) {
    const left = corpus.length - ledger.count
    const isLast = life === kills
    // Somewhere in the middle of this life's share: kills never fall together.
    const share = (0.3 + 0.5 * random.fraction()) / (kills - life + 1)
    const killAt = isLast ? null : ledger.count + Math.ceil(left * share)
    const lived = await liveOnce(options, killAt)
    run.appendingMs += lived.appendingMs
    run.flushes += lived.flushes
    if (lived.killedAt !== null) run.killedAt = lived.killedAt
  }
  return run
}

interface Life {
  readonly appendingMs: number
  readonly flushes: number
  readonly killedAt: number | null
}

async function liveOnce(options: AppendRunOptions, killAt: number | null): Promise<Life> {
  const { corpus, ledger, random, writer } = options
  const child = new WriterProcess(writer)
  const ended = child.ended()
  // Looked at when its messages have been read; it must not end this process before.
  ended.catch(() => undefined)
  const bar = new Bar(corpus.length)
  let startedMs = performance.now()
  let lastMs = startedMs
  let flushes = 0
  let killedAt: number | null = null
  let isSentenced = false
  for await (const message of child.messages()) {
    if (message.type === 'opened') {
      explainOpening(message, ledger)
      startedMs = performance.now()
    } else if (message.type === 'acknowledged') {
      ledger.add(message.records)
      flushes = message.flushes
      lastMs = performance.now()
    }
    bar.update(ledger.count, `${count(ledger.count)} records, ${mebibytes(ledger.bytes)}`)
    if (killAt === null || isSentenced || ledger.count < killAt) continue
    isSentenced = true
    setTimeout(() => {
      killedAt = systemClock.now()
      child.kill()
    }, random.int(killDelayMsMax))
  }
  await ended
  bar.clear()
  const total = `${count(ledger.count)} records, ${mebibytes(ledger.bytes)}`
  if (killAt === null) print(`  ${styled('green', '✓')} ${total} acknowledged; closed cleanly`)
  else print(`  ${styled('red', '✗ SIGKILL')} with ${total} acknowledged`)
  return { appendingMs: lastMs - startedMs, flushes, killedAt }
}

function explainOpening({ logEndOffset, report }: OpenedMessage, ledger: Ledger): void {
  if (ledger.count === 0) return
  const { scannedBytes, recoveryPoint, cut, durationMs, segments } = report
  print(
    `  ${styled('cyan', '↻ reopened')} in ${milliseconds(durationMs)}: ` +
      `${segments === 1 ? '1 segment' : `${segments} segments`}, known to be durable up to offset ` +
      `${count(recoveryPoint)}, ${mebibytes(scannedBytes)} read again`,
  )
  if (cut !== null) {
    const kept = cut.keptIn.length === 0 ? '' : ', kept in a file beside the log'
    print(
      `    cut off the torn end: ${count(cut.bytes)} bytes at offset ${count(cut.offset)}${kept}`,
    )
  }
  const more = logEndOffset - ledger.count
  const survived =
    more <= 0
      ? 'exactly those that were acknowledged'
      : `all that were acknowledged, and ${count(more)} that nobody had been told of yet`
  print(`    the log holds ${count(logEndOffset)} records: ${survived}; the writer goes on there`)
}
