import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { lockFile } from '../../src/storage/directory-lock.ts'
import { makeTemporaryDirectory } from '../../src/testing/index.ts'

const directory = makeTemporaryDirectory()
const packageFile = join(import.meta.dirname, '../..', 'package.json')
const children: ChildProcess[] = []
let files = 0
let path = ''

beforeEach(() => {
  files += 1
  path = join(directory.path, `lock-${files}`)
})

afterEach(async () => {
  for (const child of children.splice(0)) await stop(child)
})

afterAll(() => directory.remove())

/**
 * Another process that takes one kind of lock only, says whether it got it, and holds it while it
 * lives: `posix` is what Java's FileChannel.tryLock, and so a Kafka broker, takes.
 */
async function otherProcess(
  kind: 'posix' | 'flock',
): Promise<{ child: ChildProcess; got: string }> {
  const script = `
    const { openSync } = require('node:fs')
    const fsExt = require('node:module').createRequire(${JSON.stringify(packageFile)})('fs-ext')
    const descriptor = openSync(${JSON.stringify(path)}, 'a+')
    const done = (error) => console.log(error === null ? 'locked' : error.code)
    if (${JSON.stringify(kind)} === 'flock') fsExt.flock(descriptor, 'exnb', done)
    else fsExt.fcntl(descriptor, 'setlk', fsExt.constants.F_WRLCK, done)
    process.stdin.resume()
  `
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [output] = await once(child.stdout, 'data')
  return { child, got: String(output).trim() }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const posixRefusal = /^(EAGAIN|EACCES)$/

test('a held lock refuses the POSIX lock that a Kafka broker takes', async () => {
  const lock = await lockFile(path)
  expect(lock?.path).toBe(path)
  expect((await otherProcess('posix')).got).toMatch(posixRefusal)
  lock?.release()
  expect((await otherProcess('posix')).got).toBe('locked')
})

test('a held lock refuses a flock of another process', async () => {
  const lock = await lockFile(path)
  expect((await otherProcess('flock')).got).toMatch(/^(EAGAIN|EWOULDBLOCK)$/)
  lock?.release()
})

test('a lock of another process, of either kind, is respected until that process dies', async () => {
  for (const kind of ['posix', 'flock'] as const) {
    const { child, got } = await otherProcess(kind)
    expect(got).toBe('locked')
    expect(await lockFile(path)).toBeNull()
    await stop(child)
    const lock = await lockFile(path)
    expect(lock).not.toBeNull()
    lock?.release()
  }
})

test('a second attempt in the same process does not drop the POSIX lock of the first', async () => {
  const lock = await lockFile(path)
  expect(await lockFile(path)).toBeNull()
  expect(await lockFile(join(directory.path, '.', `lock-${files}`))).toBeNull()
  expect((await otherProcess('posix')).got).toMatch(posixRefusal)
  lock?.release()
})

test.runIf(process.platform === 'linux')(
  'a worker thread, which shares the POSIX locks of the process, is refused',
  async () => {
    const lock = await lockFile(path)
    const module = join(import.meta.dirname, '../../src/storage/directory-lock.ts')
    // The thread has its own registry; it gets the kernel's answer to the calls that are made here.
    const script = `
      const { openSync } = require('node:fs')
      const fsExt = require('node:module').createRequire(${JSON.stringify(module)})('fs-ext')
      const { parentPort } = require('node:worker_threads')
      try {
        fsExt.flockSync(openSync(${JSON.stringify(path)}, 'a'), 'exnb')
        parentPort.postMessage('locked')
      } catch (error) {
        parentPort.postMessage(error.code)
      }
    `
    const worker = new Worker(script, { eval: true })
    const [answer] = await once(worker, 'message')
    expect(answer).toMatch(/^(EAGAIN|EWOULDBLOCK)$/)
    await worker.terminate()
    lock?.release()
  },
)

test('the lock file keeps its content and stays when the lock is released', async () => {
  writeFileSync(path, 'kept')
  const lock = await lockFile(path)
  lock?.release()
  lock?.release()
  expect(statSync(path).size).toBe(4)
})

test('a failed attempt leaves nothing behind that would refuse the next', async () => {
  const { child } = await otherProcess('posix')
  for (let attempt = 0; attempt < 3; attempt += 1) expect(await lockFile(path)).toBeNull()
  await stop(child)
  const lock = await lockFile(path)
  expect(lock).not.toBeNull()
  lock?.release()
})
