import { type Log, openLog } from '@varve/log'
import { ManualClock, SimulatedFileSystem } from '@varve/log/testing'
import { beforeEach, expect, test } from 'vitest'
import { type Awaited, FetchWait, WaitingRoom } from '../../src/fetching/fetch-wait.ts'

let clock: ManualClock
let log: Log
let stopping: AbortController
let close: () => void

beforeEach(async () => {
  clock = new ManualClock()
  stopping = new AbortController()
  log = await openLog('/t-0', { fs: new SimulatedFileSystem(), clock })
})

/** Whether a wait has ended, looked at after a turn of the loop. */
function wait(awaited: Partial<Awaited> = {}): () => Promise<boolean> {
  const room = new WaitingRoom(clock, stopping.signal)
  const client = {
    onClosed(callback: () => void) {
      close = callback
      return () => undefined
    },
  }
  const defaults = { logs: new Set([log]), bytes: 1, maxMs: 1000, isReady: () => true }
  let isOver = false
  void FetchWait.until(room, client, { ...defaults, ...awaited }).then(() => {
    isOver = true
  })
  return async () => {
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    return isOver
  }
}

test('it ends when there is more, and that is to be told', async () => {
  let isReady = false
  const isOver = wait({ isReady: () => isReady })
  expect(await isOver()).toBe(false)
  await log.append({ value: 'a' })
  expect(await isOver()).toBe(false)
  isReady = true
  await log.append({ value: 'b' })
  expect(await isOver()).toBe(true)
})

test('it waits for as many bytes as are asked for', async () => {
  const isOver = wait({ bytes: 200 })
  await log.append({ value: 'a' })
  expect(await isOver()).toBe(false)
  await log.append({ value: Buffer.alloc(200) })
  expect(await isOver()).toBe(true)
})

test('it ends with its time', async () => {
  const isOver = wait({ maxMs: 500 })
  clock.advance(499)
  expect(await isOver()).toBe(false)
  clock.advance(6)
  expect(await isOver()).toBe(true)
})

test('it ends with the connection, with the log, and with the server', async () => {
  const waits = [wait(), wait()]
  close()
  expect(await waits[1]?.()).toBe(true)
  expect(await waits[0]?.()).toBe(false)
  await log.close()
  expect(await waits[0]?.()).toBe(true)
  log = await openLog('/u-0', { fs: new SimulatedFileSystem(), clock })
  const last = wait()
  stopping.abort()
  expect(await last()).toBe(true)
  expect(await wait()()).toBe(true)
})
