import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { PageReading } from '../../src/ui/page-reading.ts'

const there = { destroyed: false }

test('questions are read for one after the other', async () => {
  const reading = new PageReading(new ManualClock())
  let [running, most] = [0, 0]
  const read = async (): Promise<number> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    return running--
  }
  const all = Array.from({ length: 20 }, () => reading.answer(there, read))
  expect(await Promise.all(all)).toHaveLength(20)
  expect(most).toBe(1)
})

test('one that fails keeps up no other, and too many are refused', async () => {
  const reading = new PageReading(new ManualClock())
  const failing = reading.answer(there, () => Promise.reject(new Error('no')))
  const others = Array.from({ length: 63 }, () => reading.answer(there, async () => 'read'))
  await expect(reading.answer(there, async () => 'read')).rejects.toMatchObject({ status: 503 })
  // Live tails are bounded in number otherwise.
  expect(await reading.inTurn(there, async () => 'looked')).toBe('looked')
  await expect(failing).rejects.toThrow('no')
  expect(await Promise.all(others)).toHaveLength(63)
  expect(await reading.answer(there, async () => 'read')).toBe('read')
})

test('nothing is read for those who have gone', async () => {
  const reading = new PageReading(new ManualClock())
  let isRead = false
  const gone = reading.answer({ destroyed: true }, async () => {
    isRead = true
  })
  await expect(gone).rejects.toMatchObject({ status: 408 })
  expect(isRead).toBe(false)
})

test('reading rests for as long as it worked, over all who ask', async () => {
  const clock = new ManualClock()
  const reading = new PageReading(clock)
  const onlooker = { destroyed: false }
  let rests = 0
  const work = async (): Promise<void> => {
    clock.advance(6)
    const pause = reading.pause()
    if (pause === undefined) return
    rests++
    clock.advance(12)
    await pause
  }
  await Promise.all(Array.from({ length: 10 }, () => reading.inTurn(onlooker, work)))
  expect(rests).toBe(5)
  const leaving = reading.inTurn(onlooker, async () => {
    clock.advance(20)
    const pause = reading.pause()
    onlooker.destroyed = true
    clock.advance(20)
    await pause
  })
  await expect(leaving).rejects.toMatchObject({ status: 408 })
})
