import { LogDirectory } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { LogEffectLedger } from '../../src/handling/log-effect-ledger.ts'
import { type EffectLedger, onceOnly } from '../../src/handling/once-only.ts'

const recordAt = (offset: number, key: string | null = null) => ({
  topic: 't',
  partition: 0,
  offset,
  key,
})

async function openLedger(fs: SimulatedFileSystem, clock: ManualClock, retentionMs = 1000) {
  const directory = await LogDirectory.open('/data', { fs, clock })
  const log = directory.logs.get('effects-0') ?? (await directory.createLog('effects', 0))
  return { directory, log, ledger: await LogEffectLedger.load(log, { clock, retentionMs }) }
}

test('the effect of a record that is delivered again happens once, also after a power cut', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const done: number[] = []
  const { directory, ledger } = await openLedger(fs, clock)
  const handle = onceOnly((record: ReturnType<typeof recordAt>) => void done.push(record.offset), {
    ledger,
  })
  for (const offset of [1, 2, 1]) await handle(recordAt(offset), null)
  await Promise.all([3, 3, 3].map((offset) => handle(recordAt(offset), null)))
  expect(done).toEqual([1, 2, 3])
  const left = await openLedger(fs.crashState(fs.operations, 'none'), clock)
  const again = onceOnly((record: ReturnType<typeof recordAt>) => void done.push(record.offset), {
    ledger: left.ledger,
  })
  for (const offset of [1, 2, 3, 4]) await again(recordAt(offset), null)
  expect(done).toEqual([1, 2, 3, 4])
  await left.directory.close()
  await directory.close()
})

test('an effect that failed is not remembered', async () => {
  const { directory, ledger } = await openLedger(new SimulatedFileSystem(), new ManualClock())
  let calls = 0
  const handle = onceOnly(
    () => {
      calls += 1
      if (calls === 1) throw new Error('no')
    },
    { ledger },
  )
  await expect(handle(recordAt(1), null)).rejects.toThrow('no')
  await handle(recordAt(1), null)
  await handle(recordAt(1), null)
  expect(calls).toBe(2)
  await directory.close()
})

test('records count as one by their place, their key, or what the caller says', async () => {
  const ids: string[] = []
  const ledger: EffectLedger = {
    run: async (id, effect) => {
      ids.push(id)
      await effect()
      return true
    },
  }
  let calls = 0
  const count = (): void => {
    calls += 1
  }
  await onceOnly(count, { ledger })(recordAt(7, 'k'), null)
  await onceOnly(count, { ledger, by: 'key' })(recordAt(7, 'k'), null)
  await onceOnly(count, { ledger, by: 'key' })(recordAt(7, null), null)
  await onceOnly(count, { ledger, by: (record) => `mine ${record.offset}` })(recordAt(7), null)
  expect([ids, calls]).toEqual([['t-0@7', 't/k', 'mine 7'], 4])
})

test('effects are forgotten when their time is over', async () => {
  const fs = new SimulatedFileSystem()
  const clock = new ManualClock()
  const { directory, log, ledger } = await openLedger(fs, clock)
  await ledger.run('old', () => undefined)
  clock.advance(600)
  await ledger.run('new', () => undefined)
  clock.advance(400)
  expect(await ledger.expire()).toBe(1)
  const again = await LogEffectLedger.load(log, { clock, retentionMs: 1000 })
  for (const each of [ledger, again]) expect(each.size).toBe(1)
  expect(await again.run('new', () => undefined)).toBe(false)
  expect(await again.run('old', () => undefined)).toBe(true)
  await directory.close()
})
