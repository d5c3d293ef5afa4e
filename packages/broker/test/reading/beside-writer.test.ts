import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { LogLockedError, LogNotFoundError } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterEach, expect, test } from 'vitest'
import { openDataDirectory } from '../../src/directory-varve.ts'
import { readVarve, type VarveReader } from '../../src/reading/varve-reader.ts'
import { errorOf } from '../broker-fixture.ts'

const writer = fileURLToPath(new URL('./writer.mjs', import.meta.url))
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
})

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'close')
}

/** Starts a writer; resolves with its process when it has sent so many records. */
async function write(
  path: string,
  life: number,
  count: number,
  acknowledged: Map<string, string>,
): Promise<ChildProcess> {
  // Without the flags of this process, which would have it load TypeScript.
  const child = spawn(process.execPath, [writer, path, String(life)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] },
  })
  children.push(child)
  let left = count
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the writer has ended by itself')))
    createInterface(child.stdout).on('line', (line) => {
      const [partition, offset, value = ''] = line.split(' ')
      acknowledged.set(`${partition}@${offset}`, value)
      left -= 1
      if (left === 0) resolve()
    })
  })
  return child
}

async function openedReader(path: string): Promise<VarveReader> {
  for (;;) {
    try {
      return await readVarve(path, { pollMs: 1 })
    } catch (error) {
      if (!(error instanceof LogNotFoundError)) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

test('a reader goes on while the writer is killed and started again, and misses nothing', async () => {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/data`
  const acknowledged = new Map<string, string>()
  let child = await write(path, 0, 200, acknowledged)
  await using reader = await openedReader(path)
  const consumer = reader.consumer({ topics: ['orders'] })
  const seen = new Map<string, string>()
  const next = [0, 0]
  const reading = (async () => {
    for await (const { partition, offset, value } of consumer) {
      expect(offset).toBe(next[partition])
      next[partition] = offset + 1
      seen.set(`${partition}@${offset}`, String(value))
    }
  })()
  for (let life = 1; life <= 3; life++) {
    await kill(child)
    child = await write(path, life, 200, acknowledged)
  }
  const error = await errorOf(openDataDirectory(path), LogLockedError)
  if (process.platform === 'linux') expect(error.holder?.pid).toBe(child.pid)
  await kill(child)
  while ([...acknowledged.keys()].some((place) => !seen.has(place))) {
    await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 5))])
  }
  await consumer.close()
  await reading
  for (const [place, value] of acknowledged) expect(seen.get(place)).toBe(value)
  // Nothing was shown to it that is not there any more.
  await using varve = await openDataDirectory(path, { cleaning: false })
  const kept = new Map<string, string>()
  for await (const record of varve.consumer({ topics: ['orders'], follow: false })) {
    kept.set(`${record.partition}@${record.offset}`, String(record.value))
  }
  for (const [place, value] of seen) expect(kept.get(place)).toBe(value)
  expect(seen.size).toBeGreaterThanOrEqual(800)
})
