import type { CommandIo } from '../command-io.ts'
import {
  formatAmount,
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatRate,
  ratePerSecond,
} from '../human.ts'
import { LineOutput } from '../output.ts'
import type { Appended, AppendOptions } from './append-target.ts'
import type { Acknowledged } from './append-window.ts'

export interface SummaryOptions
  extends Pick<AppendOptions, 'topic' | 'partition' | 'acks' | 'json'> {
  readonly home: object
}

/** Says what was acknowledged, and how fast. */
export async function printSummary(
  acknowledged: Acknowledged,
  options: SummaryOptions,
  io: CommandIo,
  { startedMs, isWhole }: { readonly startedMs: number; readonly isWhole: boolean },
): Promise<void> {
  const { topic, acks } = options
  const { records, bytes, partitions } = acknowledged
  const elapsedMs = io.clock.monotonic() - startedMs
  // In a directory there is always one; on a server the keys may have chosen many.
  const partition = options.partition ?? ('data' in options.home ? 0 : null)
  const lines = new LineOutput(io.stdout)
  if (options.json) {
    const { firstOffset = null, lastOffset = null } = (partition !== null && partitions[0]) || {}
    lines.json({
      ...{ topic, partition, acks, records, bytes, firstOffset, lastOffset },
      ...(partition === null && { partitions }),
      elapsedMs: Math.round(elapsedMs),
      recordsPerSecond: Math.round(ratePerSecond(records, elapsedMs)),
      bytesPerSecond: Math.round(ratePerSecond(bytes, elapsedMs)),
      complete: isWhole,
    })
  } else {
    const what = `${formatAmount(records, 'record')}, ${formatBytes(bytes)}`
    const [only = null] = partitions
    if (partition === null) {
      lines.line(`${topic}: ${what}, acknowledged as ${acks}`)
      for (const each of partitions) {
        const count = formatAmount(each.records, 'record')
        lines.line(`  ${each.partition}: ${count}, ${offsetsOf(each)}`)
      }
    } else {
      const offsets = only === null ? 'nothing appended' : offsetsOf(only)
      lines.line(`${topic}-${partition}: ${what}, ${offsets}, acknowledged as ${acks}`)
    }
    const rates = [formatRate(records, 'record', elapsedMs), formatByteRate(bytes, elapsedMs)]
    lines.line([formatDuration(elapsedMs), ...rates].join(', '))
  }
  await lines.flush()
}

function offsetsOf({ firstOffset, lastOffset }: Appended): string {
  if (firstOffset === null || lastOffset === null) return 'offsets not told'
  return `offsets ${formatCount(firstOffset)} to ${formatCount(lastOffset)}`
}
