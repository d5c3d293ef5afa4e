import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  DirectorySource,
  DirectoryTarget,
  inlineEncoder,
  Repository,
  runBackup,
} from '@varve/backup'
import { nodeFileSystem, verifyPath } from '@varve/log'
import { makeTemporaryDirectory, type Random } from '@varve/log/testing'
import { expect } from 'vitest'
import { checkRestored, type KeyedSend } from './snapshot-consistency.ts'

/** What `busy-writer.mjs` sends to the compacted topic, by offset. */
function keyedSend(offset: number): KeyedSend {
  const value = offset % 3 === 0 ? null : `v${offset} ${'y'.repeat(60)}`
  return { key: `k${(offset * 7) % 20}`, value }
}

interface Writer {
  readonly child: ChildProcessWithoutNullStreams
  /** What it says, line by line. */
  line(): Promise<string>
}

async function startWriter(path: string): Promise<Writer> {
  const script = fileURLToPath(new URL('./busy-writer.mjs', import.meta.url))
  // Without the flags of this process, which would have it load TypeScript.
  const child = spawn(process.execPath, [script, path], { env: { PATH: process.env['PATH'] } })
  child.stderr.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const writer = { child, line: async () => String((await lines.next()).value) }
  expect(await writer.line()).toBe('ready')
  return writer
}

/**
 * Takes so many backups of a directory, by its path, in which another process does everything at
 * once, and checks that what is in each fits together. Resolves to what the writer has done.
 */
export async function checkBesideWriter(
  random: Random,
  count: number,
): Promise<Readonly<Record<string, number>>> {
  using temporary = makeTemporaryDirectory()
  const data = `${temporary.path}/data`
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target, { objectBytes: 4096 })
  const writer = await startWriter(data)
  try {
    const encoder = inlineEncoder(nodeFileSystem)
    for (let taken = 0; taken < count; taken++) {
      await pause(random.int(60))
      const report = await runBackup(repository, new DirectorySource(data), { encoder })
      expect({ gaps: report.gaps, warnings: report.warnings }).toEqual({ gaps: [], warnings: [] })
      await checkRestored(repository, report.backupId, keyedSend)
    }
    writer.child.stdin.end()
    const done: Record<string, number> = JSON.parse(await writer.line())
    const [code] = await once(writer.child, 'exit')
    expect(code).toBe(0)
    for await (const { severity, message } of verifyPath(data)) {
      expect([severity, message]).toEqual(['note', message])
    }
    // Else it was no test of anything.
    expect(done['transactions']).toBeGreaterThan(count)
    expect(done['compactions']).toBeGreaterThan(0)
    expect(done['deletions']).toBeGreaterThan(0)
    return done
  } finally {
    writer.child.kill('SIGKILL')
  }
}
