import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { exportToSqlite, snapshotHistory } from '@varve/backup'
import { openDataDirectory } from '@varve/broker'
import { nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { recordsIn } from './history-fixture.ts'

const program = fileURLToPath(new URL('../dist/index.js', import.meta.url))

/** Runs the command as it was compiled, and kills it after a while. Its exit code; null killed. */
function runKilled(args: readonly string[], afterMs: number): Promise<number | null> {
  const start = `import(${JSON.stringify(program)}).then(async ({ main }) => {
    process.stdout.write('begun')
    process.exitCode = await main(${JSON.stringify(args)})
  })`
  const child = spawn(process.execPath, ['-e', start], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.once('data', () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
    child.once('close', () => clearTimeout(timer))
  })
  return new Promise((resolve) => child.once('close', (code) => resolve(code)))
}

test('a replay that is killed again and again loses nothing and brings nothing twice', async () => {
  const random = new Random(seedFromEnvironment('replays that are killed'))
  using root = makeTemporaryDirectory()
  const at = (name: string): string => `${root.path}/${name}`
  {
    await using varve = await openDataDirectory(at('data'), { cleaning: false })
    await varve.createTopic('orders', { partitions: 2 })
    const producer = varve.producer({ acks: 'written' })
    for (let index = 0; index < 400; index++) {
      const records = Array.from({ length: 250 }, (_, count) => ({
        key: `k${index}`,
        value: `v${index}-${count}`.padEnd(300),
      }))
      await producer.send('orders', records, { partition: index % 2 })
    }
    await using snapshot = await varve.backupSource().snapshot()
    await exportToSqlite(snapshotHistory(nodeFileSystem, 'data', snapshot), at('orders.db'))
  }
  const replay = ['replay', at('orders.db'), '--to', at('target'), '--map', at('map')]
  let kills = 0
  for (let code: number | null = null; code === null; ) {
    code = await runKilled(replay, kills < 6 ? random.between(100, 700) : 60_000)
    if (code === null) kills++
    else expect(code).toBe(0)
  }
  expect(kills).toBeGreaterThan(0)
  expect(await recordsIn(at('target'))).toEqual(await recordsIn(at('data')))
}, 120_000)
