import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { LogDirectory } from '../../src/log-directory.ts'
import { openLogReadOnly } from '../../src/read/read-only-log.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'
import { readAll } from '../log-fixture.ts'

const compiled = join(import.meta.dirname, '../../dist/index.js')

describe('beside a writer in another process', () => {
  test('follows every record, in order, through rolls, deletions and the kill of the writer', async (context) => {
    if (!existsSync(compiled)) return context.skip('packages/log is not compiled: run npx tsc -b')
    using temporary = makeTemporaryDirectory()
    const path = `${temporary.path}/data`
    const program = `
      import { LogDirectory } from ${JSON.stringify(compiled)}
      const log4096 = { segmentBytes: 4096, acks: 'written' }
      const directory = await LogDirectory.open(${JSON.stringify(path)}, { log: log4096 })
      const log = await directory.createLog('t', 0)
      let read = 0
      process.on('message', (offset) => { read = offset })
      process.send(0)
      for (let offset = 0; ; offset++) {
        await log.append({ value: 'v' + offset })
        if (offset % 100 === 0) process.send(offset)
        if (offset % 300 === 299) await log.deleteSegmentsBefore(read)
        if (offset % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
      }`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const exited = new Promise((resolve) => child.once('exit', resolve))
    onTestFinished(() => void child.kill('SIGKILL'))
    let acknowledged = 0
    child.on('message', (offset) => (acknowledged = Number(offset)))
    await new Promise((resolve) => child.once('message', resolve))
    const reader = await openLogReadOnly(`${path}/t-0`)
    let expected = 0
    const end = new AbortController()
    for await (const record of reader
      .reader({ from: 0, follow: true, signal: end.signal })
      .records()) {
      expect(record.offset).toBe(expected)
      expect(record.value?.toString()).toBe(`v${expected}`)
      expected++
      if (expected % 100 === 0 && expected < 3000) child.send(expected)
      if (expected === 3000) child.kill('SIGKILL')
      if (child.killed && expected >= 3000) {
        await exited
        await reader.refresh()
        if (expected >= reader.highWatermark) end.abort()
      }
    }
    const directory = await LogDirectory.open(path)
    const log = directory.log('t', 0)
    expect(log.logEndOffset).toBeGreaterThanOrEqual(expected)
    expect(log.logEndOffset).toBeGreaterThan(acknowledged)
    await reader.refresh()
    await log.append({ value: 'after' })
    expect(
      (await readAll(reader, { from: log.logEndOffset - 1 })).map(({ value }) => value),
    ).toEqual([])
    await reader.refresh()
    expect(
      (await readAll(reader, { from: log.logEndOffset - 1 })).map(({ value }) => value),
    ).toEqual(['after'])
    await reader.close()
    await directory.close()
  })
})
