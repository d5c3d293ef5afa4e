import { openVarve, readVarve } from '@varve/broker'
import type { IntervalFigures } from '../measuring/interval-series.ts'
import { machineClock } from '../measuring/machine-clock.ts'
import { isCluster } from './bench-place.ts'
import { assignedTail } from './end-to-end-run.ts'
import type { FromFollower, ToFollower } from './follower-messages.ts'
import { RunGauges } from './run-gauges.ts'
import { TailingConsumer } from './tailing-consumer.ts'

// The program of a process that reads what another one writes; started by `OtherProcess`.

type Following = Extract<ToFollower, { kind: 'follow' }>

const messages: ToFollower[] = []
let wake: () => void = () => undefined

process.on('message', (message) => {
  messages.push(message as ToFollower)
  wake()
})
// Ctrl-C goes to all processes of a terminal: whoever started this one ends the run.
process.on('SIGINT', () => undefined)
// Whoever started it has gone.
process.on('disconnect', () => process.exit(0))

try {
  const first = await nextMessage()
  if (first.kind === 'follow') await follow(first)
} catch (error) {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}

async function follow({
  address,
  topic,
  partitions,
  pollMs,
  intervalMs,
}: Following): Promise<void> {
  await using varve = isCluster(address)
    ? await openVarve(address, { cleaning: false })
    : await readVarve(address, { pollMs })
  const onInterval = (interval: IntervalFigures): void => tell({ kind: 'interval', interval })
  using gauges = new RunGauges({ clock: machineClock, intervalMs, onInterval }, false)
  const consumer = varve.consumer(assignedTail(topic, partitions))
  await using tail = new TailingConsumer(consumer, machineClock, gauges)
  await tail.start()
  tell({ kind: 'ready' })
  const last = await nextMessage()
  if (last.kind !== 'expect') return
  await tail.complete(last.records)
  const facts = { rate: null, latencyKind: 'end-to-end', isSpinning: false } as const
  tell({ kind: 'done', measurement: gauges.measurement(facts) })
}

async function nextMessage(): Promise<ToFollower> {
  for (;;) {
    const message = messages.shift()
    if (message !== undefined) return message
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
}

function tell(message: FromFollower): void {
  process.send?.(message)
}
