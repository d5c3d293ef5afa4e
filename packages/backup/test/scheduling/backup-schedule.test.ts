import { ManualClock } from '@varve/log/testing'
import { InvalidArgumentError } from '@varve/record'
import { expect, test } from 'vitest'
import {
  BackupSchedule,
  type ScheduleOptions,
  type ScheduleRule,
} from '../../src/scheduling/backup-schedule.ts'

const hourMs = 3_600_000
const start = Date.UTC(2026, 0, 1)

interface Scene {
  readonly clock: ManualClock
  readonly schedule: BackupSchedule
  /** When runs began. */
  readonly runs: number[]
}

function scene(
  rule: ScheduleRule,
  options: Partial<ScheduleOptions> = {},
  work: () => Promise<void> = async () => {},
): Scene {
  const clock = new ManualClock(start)
  const runs: number[] = []
  const run = (): Promise<void> => {
    runs.push(clock.now())
    return work()
  }
  const schedule = new BackupSchedule(rule, run, { clock, ...options })
  schedule.start()
  return { clock, schedule, runs }
}

/** In steps, so that what a run has begun can end. */
async function pass(clock: ManualClock, durationMs: number, stepMs = hourMs / 4): Promise<void> {
  for (let leftMs = durationMs; leftMs > 0; leftMs -= stepMs) {
    clock.advance(Math.min(stepMs, leftMs))
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

test('runs come when the expression says, each once', async () => {
  const { clock, runs, schedule } = scene({ cron: '0 3 * * *' })
  expect(schedule.nextMs).toBe(start + 3 * hourMs)
  await pass(clock, 72 * hourMs)
  expect(runs).toEqual([3, 27, 51].map((hours) => start + hours * hourMs))
  await schedule.stop()
})

test('the hour is that of the time zone, through the change to summer time', async () => {
  const rule = { cron: '0 3 * * *', timeZone: 'Europe/Berlin' }
  const clock = new ManualClock(Date.UTC(2026, 2, 28))
  const runs: number[] = []
  const run = async (): Promise<void> => void runs.push(clock.now())
  const schedule = new BackupSchedule(rule, run, { clock })
  schedule.start()
  await pass(clock, 48 * hourMs)
  expect(runs).toEqual([Date.UTC(2026, 2, 28, 2), Date.UTC(2026, 2, 29, 1)])
  await schedule.stop()
})

test('jitter puts each run off, by less than it says', async () => {
  const { clock, runs, schedule } = scene(
    { cron: '0 * * * *', jitterMs: 600_000 },
    { random: () => 0.5 },
  )
  await pass(clock, 3 * hourMs, 60_000)
  expect(runs).toEqual([1, 2].map((hours) => start + hours * hourMs + 300_000))
  await schedule.stop()
})

test('what was missed is made up for once, or left out when that is asked for', async () => {
  const rule = { cron: '0 * * * *' }
  const lastRunMs = start - 10 * hourMs
  const made = scene(rule, { lastRunMs })
  await pass(made.clock, hourMs / 2)
  expect(made.runs).toEqual([start])
  const left = scene({ ...rule, missed: 'skip' }, { lastRunMs })
  await pass(left.clock, hourMs / 2)
  expect(left.runs).toEqual([])
  const nothingMissed = scene(rule, { lastRunMs: start - 1 })
  await pass(nothingMissed.clock, hourMs / 2)
  expect(nothingMissed.runs).toEqual([start])
  await Promise.all([made, left, nothingMissed].map(({ schedule }) => schedule.stop()))
})

test('a run that is due while another goes on is left out', async () => {
  let finish = (): void => {}
  const work = (): Promise<void> => new Promise((resolve) => (finish = resolve))
  const { clock, runs, schedule } = scene({ cron: '0 * * * *' }, {}, work)
  await pass(clock, 3.5 * hourMs)
  expect(runs).toHaveLength(1)
  finish()
  await pass(clock, hourMs)
  expect(runs).toEqual([start + hourMs, start + 4 * hourMs])
  finish()
  await schedule.stop()
})

test('a run that fails is told, and the next one comes', async () => {
  const errors: unknown[] = []
  const onError = (error: unknown): void => void errors.push(error)
  const work = async (): Promise<void> => {
    throw new Error('no space')
  }
  const { clock, runs, schedule } = scene({ cron: '0 * * * *' }, { onError }, work)
  await pass(clock, 2.5 * hourMs)
  expect(runs).toHaveLength(2)
  expect(errors).toHaveLength(2)
  await schedule.stop()
})

test('stopping waits for the run that goes on, and none begins after', async () => {
  let finish = (): void => {}
  const work = (): Promise<void> => new Promise((resolve) => (finish = resolve))
  const { clock, runs, schedule } = scene({ cron: '0 * * * *' }, {}, work)
  await pass(clock, hourMs)
  let isStopped = false
  const stopping = schedule.stop().then(() => (isStopped = true))
  await pass(clock, hourMs)
  expect(isStopped).toBe(false)
  finish()
  await stopping
  await pass(clock, 5 * hourMs)
  expect(runs).toHaveLength(1)
})

test.each<[string, ScheduleRule]>([
  ['an expression', { cron: '61 * * * *' }],
  ['a time zone', { cron: '0 * * * *', timeZone: 'Nowhere/At_All' }],
  ['a jitter', { cron: '0 * * * *', jitterMs: -1 }],
])('%s that is none is refused', (_, rule) => {
  expect(() => scene(rule)).toThrow(InvalidArgumentError)
})
