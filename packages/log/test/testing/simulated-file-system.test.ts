import { expect, test } from 'vitest'
import { type File, writeFully } from '../../src/storage/file-system.ts'
import { type Fault, ManualClock, SimulatedFileSystem } from '../../src/testing/index.ts'

/** With an empty file `/a` that is durable, open. */
function withOpenFile(options: { seed?: number; turnsMax?: number; clock?: ManualClock } = {}): {
  fs: SimulatedFileSystem
  file: File
} {
  const fs = new SimulatedFileSystem(options)
  fs.writeBytes('/a', Buffer.alloc(0))
  return { fs, file: fs.open('/a', 'write') }
}

async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'none'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

/** Some calls of each sort, and what each of them came to. */
async function scenario(fs: SimulatedFileSystem): Promise<string[]> {
  const codes: string[] = []
  const attempt = async (call: () => unknown): Promise<void> => {
    codes.push(await codeOf(call))
  }
  const file = fs.open('/a', 'write')
  await attempt(() => file.writeSync(Buffer.from('12345678'), 0))
  await attempt(() => file.readSync(Buffer.alloc(4), 0))
  await attempt(() => file.write(Buffer.from('12345678'), 8))
  await attempt(() => file.datasync())
  await attempt(() => fs.list('/'))
  await attempt(() => fs.rename('/a', '/b'))
  await attempt(() => fs.syncDirectory('/'))
  await attempt(() => fs.remove('/b'))
  file.close()
  return codes
}

async function scenarioWith(fault: Fault): Promise<string> {
  const { fs, file } = withOpenFile()
  file.close()
  fs.injectFault({ ...fault, after: (fault.after ?? 0) + (fault.counting === 'calls' ? 1 : 0) })
  const codes = await scenario(fs)
  return codes.map((code, index) => (code === 'none' ? '' : `${index}:${code}`)).join('')
}

test('the n-th change fails, and no other', async () => {
  expect(await scenarioWith({ kind: 'EIO' })).toBe('0:EIO')
  expect(await scenarioWith({ kind: 'EIO', after: 1 })).toBe('2:EIO')
  expect(await scenarioWith({ kind: 'EIO', after: 2 })).toBe('3:EIO')
  expect(await scenarioWith({ kind: 'EIO', after: 4 })).toBe('6:EIO')
  expect(await scenarioWith({ kind: 'EIO', after: 5 })).toBe('7:EIO')
  expect(await scenarioWith({ kind: 'EIO', after: 6 })).toBe('')
})

test('counting all calls, reads fail too', async () => {
  expect(await scenarioWith({ kind: 'EIO', counting: 'calls', after: 1 })).toBe('1:EIO')
  expect(await scenarioWith({ kind: 'EIO', counting: 'calls', after: 4 })).toBe('4:EIO')
})

test('a lasting fault fails everything from then on', async () => {
  expect(await scenarioWith({ kind: 'EIO', after: 3, isLasting: true })).toBe('5:EIO6:EIO7:EIO')
})

test('a full disk fails only what needs space', async () => {
  const fault = { kind: 'ENOSPC', isLasting: true, counting: 'calls' } as const
  // The last call, a removal, has nothing to remove, since the renaming failed.
  expect(await scenarioWith(fault)).toBe('0:ENOSPC2:ENOSPC3:ENOSPC5:ENOSPC6:ENOSPC7:ENOENT')
})

test('calls and changes are counted, so that a test can go through them all', async () => {
  const { fs, file } = withOpenFile()
  file.close()
  const before = { calls: fs.calls, changes: fs.changes }
  await scenario(fs)
  expect(fs.calls - before.calls).toBe(9)
  expect(fs.changes - before.changes).toBe(6)
  expect(fs.faultHits).toBe(0)
})

test('a failed call has no effect and is no operation', async () => {
  const { fs, file } = withOpenFile()
  const { operations } = fs
  fs.injectFault({ kind: 'EIO', isLasting: true })
  const tree = [...fs.tree().keys()]
  const calls = [
    () => file.writeSync(Buffer.from('x'), 0),
    () => file.write(Buffer.from('x'), 0),
    () => file.truncate(5),
    () => fs.open('/b', 'create'),
    () => fs.makeDirectory('/d'),
    () => fs.rename('/a', '/b'),
    () => fs.link('/a', '/b'),
    () => fs.setModifiedTime('/a', 0),
    () => fs.remove('/a'),
    () => fs.lock('/.lock'),
  ]
  for (const call of calls) expect(await codeOf(call)).toBe('EIO')
  expect(fs.faultHits).toBe(calls.length)
  expect(fs.operations).toBe(operations)
  expect([...fs.tree().keys()]).toEqual(tree)
  fs.clearFaults()
  expect(file.writeSync(Buffer.from('x'), 0)).toBe(1)
  file.close()
})

test('a short write takes half, and the caller can go on', async () => {
  const { fs, file } = withOpenFile()
  fs.injectFault({ kind: 'short' })
  expect(file.writeSync(Buffer.from('12345678'), 0)).toBe(4)
  expect(fs.bytesOf('/a').toString()).toBe('1234')
  fs.injectFault({ kind: 'short', isLasting: true })
  await writeFully(file, Buffer.from('abcdefgh'), 0)
  expect(fs.bytesOf('/a').toString()).toBe('abcdefgh')
  file.close()
})

test('what a failed flush should have written no later flush makes durable', async () => {
  const { fs, file } = withOpenFile()
  file.writeSync(Buffer.from('lost'), 0)
  fs.injectFault({ kind: 'EIO' })
  await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO', syscall: 'fdatasync' })
  file.writeSync(Buffer.from('kept'), 4)
  await file.datasync()
  const disk = (): string => {
    const bytes = fs.crashState(fs.operations, 'none').bytesOf('/a')
    return bytes.toString().replaceAll('\0', '.')
  }
  expect(disk()).toBe('....kept')
  expect(fs.bytesOf('/a').toString()).toBe('lostkept')
  expect(fs.crashState(fs.operations, 'all').bytesOf('/a').toString()).toBe('lostkept')
  // Written again, it can be flushed; what was given up does not come back over it.
  file.writeSync(Buffer.from('LO'), 0)
  await file.datasync()
  expect(disk()).toBe('LO..kept')
  for (let seed = 0; seed < 100; seed += 1) {
    const bytes = fs.crashState(fs.operations, { mode: 'harsh', seed }).bytesOf('/a').toString()
    expect(['LO\0\0kept', 'LOstkept']).toContain(bytes)
  }
  file.close()
})

test('after a failed flush the cache may show the old data again', async () => {
  const { fs, file } = withOpenFile()
  file.writeSync(Buffer.from('old!'), 0)
  await file.datasync()
  file.writeSync(Buffer.from('newer'), 0)
  fs.injectFault({ kind: 'EIO', cache: 'dropped' })
  expect(await codeOf(() => file.datasync())).toBe('EIO')
  expect(fs.bytesOf('/a').toString()).toBe('old!')
  expect(file.sizeBytes()).toBe(4)
  expect(fs.fork().bytesOf('/a').toString()).toBe('old!')
  file.close()
})

test('names whose flush failed are not made durable by a later one', async () => {
  const fs = new SimulatedFileSystem()
  fs.open('/a', 'create').close()
  fs.injectFault({ kind: 'EIO' })
  await expect(fs.syncDirectory('/')).rejects.toMatchObject({ code: 'EIO', syscall: 'fsync' })
  fs.open('/b', 'create').close()
  await fs.syncDirectory('/')
  expect([...fs.crashState(fs.operations, 'none').tree().keys()]).toEqual(['/b'])
})

test('a disk with a capacity takes what fits, then is full until something is removed', async () => {
  const { fs, file } = withOpenFile()
  fs.capacityBytes = 10
  expect(await fs.freeBytes('/')).toBe(10)
  expect(file.writeSync(Buffer.alloc(8), 0)).toBe(8)
  expect(file.writeSync(Buffer.alloc(8), 8)).toBe(2)
  expect(await codeOf(() => file.writeSync(Buffer.alloc(8), 10))).toBe('ENOSPC')
  expect(file.writeSync(Buffer.alloc(8), 2)).toBe(8)
  expect(await fs.freeBytes('/')).toBe(0)
  file.close()
  await fs.remove('/a')
  expect(await fs.freeBytes('/')).toBe(10)
})

test('once the power is cut every call fails, those under way too', async () => {
  const { fs, file } = withOpenFile()
  fs.cutPowerAfter(2)
  file.writeSync(Buffer.from('x'), 0)
  const flushed = file.datasync()
  await expect(flushed).rejects.toMatchObject({ name: 'PowerLostError', code: 'EIO' })
  const calls = [
    () => file.readSync(Buffer.alloc(1), 0),
    () => file.writeSync(Buffer.from('y'), 0),
    () => file.sizeBytes(),
    () => file.datasync(),
    () => fs.stat('/a'),
    () => fs.open('/a', 'read'),
    () => fs.remove('/a'),
    () => fs.lock('/.lock'),
    () => fs.freeBytes('/'),
  ]
  for (const call of calls) await expect((async () => call())()).rejects.toThrow('the power is off')
  file.close()
  expect(fs.operations).toBe(2)
  expect(fs.crashState(2, 'none').bytesOf('/a')).toHaveLength(0)
  expect(fs.crashState(2, 'all').bytesOf('/a').toString()).toBe('x')
})

test('files and locks that were not closed are known', async () => {
  const { fs, file } = withOpenFile()
  const lock = await fs.lock('/.lock')
  expect(fs.openFiles()).toEqual(['/.lock', '/a'])
  file.close()
  lock?.release()
  expect(fs.openFiles()).toEqual([])
})

test('a lock ends with the process that held it', async () => {
  const fs = new SimulatedFileSystem()
  expect(await fs.lock('/.lock')).not.toBeNull()
  expect(await fs.lock('/.lock')).toBeNull()
  expect(await fs.killState(fs.operations).lock('/.lock')).not.toBeNull()
  expect(await fs.crashState(fs.operations, 'all').lock('/.lock')).not.toBeNull()
})

test('a flipped bit is seen by reads and by what comes after a crash', async () => {
  const fs = new SimulatedFileSystem()
  fs.writeBytes('/d/a', Buffer.from([0b0000_0000, 0b1111_1111]))
  fs.flipBit('/d/a', 1)
  expect(fs.bytesOf('/d/a')).toEqual(Buffer.from([0b0000_0010, 0b1111_1111]))
  const file = fs.open('/d/a', 'write')
  file.writeSync(Buffer.from([0]), 2)
  fs.flipBit('/d/a', 15)
  expect(fs.crashState(fs.operations, 'none').bytesOf('/d/a')).toEqual(Buffer.from([2, 127, 0]))
  expect(fs.crashState(1, 'none').bytesOf('/d/a')).toEqual(Buffer.from([2, 255]))
  expect(() => fs.flipBit('/d/a', 24)).toThrow(RangeError)
  file.close()
})

test('what a test arranges is durable, before the first operation and later', () => {
  const fs = new SimulatedFileSystem()
  fs.writeBytes('/d/e/a', Buffer.from('1'))
  expect(fs.operations).toBe(0)
  expect(fs.crashState(0, 'none').bytesOf('/d/e/a').toString()).toBe('1')
  fs.open('/d/e/b', 'create').close()
  fs.writeBytes('/d/f/a', Buffer.from('2'))
  fs.writeBytes('/d/e/a', Buffer.from('3'))
  const crashed = fs.crashState(fs.operations, 'none')
  expect([...crashed.tree().keys()]).toEqual(['/d', '/d/e', '/d/e/a', '/d/f', '/d/f/a'])
  expect(crashed.bytesOf('/d/e/a').toString()).toBe('3')
  expect(fs.calls).toBe(1)
})

test('settling makes everything durable and begins a new journal', async () => {
  const { fs, file } = withOpenFile()
  file.writeSync(Buffer.from('1'), 0)
  await fs.remove('/a')
  fs.open('/b', 'create').close()
  fs.settle()
  expect(fs.operations).toBe(0)
  expect([...fs.crashState(0, 'none').tree().keys()]).toEqual(['/b'])
  // A file that has lost its name stays usable.
  file.writeSync(Buffer.from('2'), 1)
  await file.datasync()
  file.close()
  expect([...fs.crashState(fs.operations, 'all').tree().keys()]).toEqual(['/b'])
})

test('a fork and its origin go separate ways', async () => {
  const { fs, file } = withOpenFile()
  file.writeSync(Buffer.from('both'), 0)
  const fork = fs.fork()
  expect(fork.operations).toBe(fs.operations)
  file.writeSync(Buffer.from('one!'), 0)
  const other = fork.open('/a', 'write')
  other.writeSync(Buffer.from('two'), 4)
  await other.datasync()
  expect(fs.bytesOf('/a').toString()).toBe('one!')
  expect(fork.bytesOf('/a').toString()).toBe('bothtwo')
  expect(fork.crashState(fork.operations, 'none').bytesOf('/a').toString()).toBe('bothtwo')
  expect(fs.crashState(fs.operations, 'none').bytesOf('/a')).toHaveLength(0)
  other.close()
  file.close()
})

test('a file with two names is one file in a fork and after a crash', () => {
  const { fs, file } = withOpenFile()
  file.close()
  fs.link('/a', '/b')
  fs.settle()
  for (const copy of [fs.fork(), fs.crashState(0, 'none')]) {
    const other = copy.open('/a', 'write')
    other.writeSync(Buffer.from('both'), 0)
    other.close()
    expect(copy.bytesOf('/b').toString()).toBe('both')
  }
})

test('flushes that are held start but do not end', async () => {
  const { fs, file } = withOpenFile()
  fs.holdFlushes()
  let isDone = false
  const flushed = file.datasync().then(() => {
    isDone = true
  })
  for (let turn = 0; turn < 10; turn += 1) await null
  expect([isDone, fs.operations]).toEqual([false, 1])
  fs.resumeFlushes()
  await flushed
  expect(fs.operations).toBe(2)
  await file.datasync()
  file.close()
})

test('asynchronous calls that take turns end in another order for another seed', async () => {
  const orderFor = async (seed: number): Promise<string> => {
    const { fs, file } = withOpenFile({ seed, turnsMax: 8 })
    const order: string[] = []
    const calls = ['a', 'b', 'c', 'd'].map(async (name, index) => {
      await file.write(Buffer.from(name), index)
      order.push(name)
    })
    await Promise.all(calls)
    expect(fs.bytesOf('/a').toString()).toBe('abcd')
    file.close()
    return order.join('')
  }
  const orders = await Promise.all(Array.from({ length: 30 }, (_, seed) => orderFor(seed)))
  expect(new Set(orders).size).toBeGreaterThan(5)
  expect(await orderFor(3)).toBe(orders[3])
})

test('times come from the clock, and an unflushed one may be the earlier one', async () => {
  const clock = new ManualClock(1000)
  const { fs, file } = withOpenFile({ clock })
  clock.advance(5)
  file.writeSync(Buffer.from('x'), 0)
  await file.datasync()
  clock.advance(5)
  fs.setModifiedTime('/a', 3000)
  expect(fs.stat('/a')?.modifiedMs).toBe(3000)
  expect(fs.crashState(fs.operations, 'none').stat('/a')?.modifiedMs).toBe(1005)
  expect(fs.crashState(fs.operations, 'all').stat('/a')?.modifiedMs).toBe(3000)
  file.close()
})

test('without a journal only what the files hold stays', async () => {
  const fs = new SimulatedFileSystem({ journaled: false })
  const file = fs.open('/a', 'create')
  for (let round = 0; round < 10; round += 1) {
    await writeFully(file, Buffer.alloc(1000, round), 0)
    await file.datasync()
  }
  expect(fs.operations).toBe(0)
  const read = Buffer.alloc(1000)
  expect(fs.open('/a', 'read').readSync(read, 0)).toBe(1000)
  expect(read).toEqual(Buffer.alloc(1000, 9))
})
