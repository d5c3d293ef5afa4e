import { afterEach, expect, test } from 'vitest'
import { LeashedProcess } from '../../src/kafka/leashed-process.ts'

let child: LeashedProcess | null = null
afterEach(() => child?.kill())

function start(script: string): LeashedProcess {
  child = new LeashedProcess('the program', process.execPath, ['-e', script])
  return child
}

test('what it prints is waited for, and its lines arrive whole', async () => {
  const started = start(
    `process.stdin.on('data', (text) => process.stdout.write('got ' + text)); console.error('ready')`,
  )
  const line = new Promise((resolve) => started.onLine(resolve))
  await started.waitForPrinted('ready', 10_000)
  started.writeLine('one line')
  expect(await line).toBe('got one line')
  expect(started.isRunning).toBe(true)
})

test('waiting ends with an error that quotes it when it ends first', async () => {
  const started = start(`console.error('no such port'); process.exit(1)`)
  await expect(started.waitForPrinted('ready', 10_000)).rejects.toThrow(
    /the program ended:\nno such port/,
  )
})

test('waiting too long ends it', async () => {
  const started = start(`setInterval(() => {}, 1000)`)
  await expect(started.waitForPrinted('ready', 100)).rejects.toThrow(
    /has not said 'ready' in 100 ms/,
  )
  expect(started.isRunning).toBe(false)
})

test('one that does not stop when asked is killed, and that is an error', async () => {
  const started = start(
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.error('ready')`,
  )
  await started.waitForPrinted('ready', 10_000)
  await expect(started.stop(100)).rejects.toThrow(/had to be killed after 100 ms/)
  expect(started.isRunning).toBe(false)
})

test('a program that is not there is an error, not a wait', async () => {
  child = new LeashedProcess('nothing', '/nowhere/at-all', [])
  await expect(child.waitForPrinted('ready', 10_000)).rejects.toThrow(/ENOENT/)
})
