import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { LeashedProcess } from '../../src/kafka/leashed-process.ts'
import { runProcess } from '../../src/kafka/run-process.ts'
import { ServedDirectory } from './served-directory.ts'

const sources = join(import.meta.dirname, '../../clients/python')
const usualPort = 9092
const fetchKey = 1

/** Whether somebody listens where Kafka usually does. */
function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (taken: boolean): void => {
      socket.destroy()
      resolve(taken)
    }
    socket.once('connect', () => answer(true)).once('error', () => answer(false))
  })
}

// The two programs that anybody writes first, letter by letter, at the port that they name.
describe('the first programs with kafka-python', () => {
  let served: ServedDirectory
  const programs = mkdtempSync(join(tmpdir(), 'varve-first-programs-'))

  beforeAll(async () => {
    const isFree = !(await isTaken(usualPort))
    served = await ServedDirectory.start(isFree ? { port: usualPort } : {})
    for (const name of ['issue_produce.py', 'issue_consume.py']) {
      const text = readFileSync(join(sources, name), 'utf8')
      const place = `localhost:${served.port}`
      writeFileSync(join(programs, name), text.replace('localhost:9092', place))
    }
  })
  afterAll(async () => {
    rmSync(programs, { recursive: true, force: true })
    await served.stop()
  })

  test.each(['kafka-python-old', 'kafka-python'] as const)('%s', async (name) => {
    const availability = inject('clients')[name]
    if (!availability.available) {
      process.stdout.write(`skipped: ${availability.reason}\n`)
      return
    }
    const { environment } = availability.program
    const produce = async (): Promise<void> => {
      const args = [join(programs, 'issue_produce.py')]
      const result = await runProcess('python3', args, { timeoutMs: 60_000, environment })
      expect(result.stderr).toBe('')
      expect(result.exitCode).toBe(0)
    }
    await produce()
    const consume = ['-u', join(programs, 'issue_consume.py')]
    const consumer = new LeashedProcess('the consumer', 'python3', consume, environment)
    const lines: string[] = []
    consumer.onLine((line) => lines.push(line))
    try {
      const before = served.count(fetchKey)
      // It reads what comes after it does, at the second of its polls at the latest.
      await expect
        .poll(() => served.count(fetchKey), { timeout: 30_000 })
        .toBeGreaterThan(before + 1)
      await produce()
      const all = Array.from({ length: 10 }, (_, number) => `message_${number}`)
      await expect.poll(() => [...lines].sort(), { timeout: 30_000 }).toEqual(all)
      expect(consumer.printed).toBe('')
    } finally {
      await consumer.kill()
    }
  })
})
