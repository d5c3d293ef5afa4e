import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { LogDirectory, nodeFileSystem, verifyPath } from '@varve/log'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { Repository } from '../../src/repository/repository.ts'
import { finishSwap, undoRestore } from '../../src/restoring/staged-swap.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { DirectoryTarget } from '../../src/target/directory-target.ts'

const restorer = fileURLToPath(new URL('./restorer.mjs', import.meta.url))
const compiled = fileURLToPath(new URL('../../dist/index.js', import.meta.url))
const rounds = 4

/** What a directory holds: ends of its logs. */
async function endsOf(path: string): Promise<Record<string, number>> {
  await using directory = await LogDirectory.open(path)
  const logs = [...directory.logs.values()]
  return Object.fromEntries(logs.map(({ name, logEndOffset }) => [name, logEndOffset]))
}

async function fill(directory: LogDirectory, random: Random, batches: number): Promise<void> {
  for (const log of directory.logs.values()) {
    for (let count = 0; count < batches; count++) {
      await log.append({ value: random.bytes(20_000) }, { acks: 'written' })
      if (count % 8 === 7) await log.roll()
    }
    await log.flush()
  }
}

/** Restores in a process that is killed after a while. Tells whether it was done before. */
async function restoreUntilKilled(args: readonly string[], workMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [restorer, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  let complaint = ''
  let isDone = false
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += String(bytes)
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, signal) => resolve(signal))
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'ready') setTimeout(() => child.kill('SIGKILL'), workMs)
    if (line === 'done') isDone = true
  })
  const signal = await ended
  if (signal !== 'SIGKILL' && !isDone) throw new Error(`it ended by itself: ${complaint}`)
  return isDone
}

// `npm test` compiles first; without that there is nothing to start.
test.skipIf(!existsSync(compiled)).each(['into a new directory', 'in place'])(
  'a restore %s that is killed again and again leaves what was or what should be',
  async (what) => {
    using temporary = makeTemporaryDirectory()
    const random = new Random(seedFromEnvironment(`restore-kills ${what}`))
    const data = `${temporary.path}/data`
    const path = `${temporary.path}/repository`
    let directory = await LogDirectory.open(data)
    for (const topic of ['a', 'b', 'c']) await directory.createLog(topic, 0)
    await fill(directory, random, 40)
    const repository = await Repository.create(new DirectoryTarget(path), { objectBytes: 65_536 })
    const encoder = inlineEncoder(nodeFileSystem)
    await runBackup(repository, new LiveSource(directory), { encoder })
    await directory.close()
    const restored = await endsOf(data)
    directory = await LogDirectory.open(data)
    await fill(directory, random, 5)
    await directory.close()
    const before = await endsOf(data)

    const isInPlace = what === 'in place'
    const to = isInPlace ? data : `${temporary.path}/restored`
    const args = [path, to, ...(isInPlace ? ['in-place'] : [])]
    let kills = 0
    for (let round = 0, workMs = 40; round < rounds; round++, workMs = 40 + random.int(250)) {
      const isDone = await restoreUntilKilled(args, workMs)
      if (!isDone) kills++
      await finishSwap(nodeFileSystem, to)
      const isThere = existsSync(to)
      const found = isThere ? await endsOf(to) : null
      if (isDone) expect(found).toEqual(restored)
      else expect([before, restored, null]).toContainEqual(found)
      if (isInPlace) expect(isThere).toBe(true)
      const findings = isThere ? verifyPath(to) : []
      for await (const { severity, message } of findings)
        expect([severity, message]).toContain('note')
      if (existsSync(`${to}.before-restore`)) await undoRestore(nodeFileSystem, to)
      else if (!isInPlace && isThere) break
    }
    expect(kills).toBeGreaterThan(0)
    // Nothing is in the way of one that is left alone.
    if (isInPlace || !existsSync(to)) {
      expect(await restoreUntilKilled(args, 60_000)).toBe(true)
    }
    expect(await endsOf(to)).toEqual(restored)
    expect(readdirSync(temporary.path).filter((name) => name.includes('restoring'))).toEqual([])
  },
)
