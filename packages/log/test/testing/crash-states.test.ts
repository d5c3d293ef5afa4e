import { expect, test } from 'vitest'
import { replaceSmallFile } from '../../src/storage/file-system.ts'
import {
  type CrashVariant,
  crashVariants,
  describeVariant,
  Random,
  type RandomCrash,
  SimulatedFileSystem,
  seedFromEnvironment,
} from '../../src/testing/index.ts'

const seed = seedFromEnvironment('crash states')
const draws = 400
const everyVariant = crashVariants(new Random(seed), draws)

/** A directory `/d` that is durable. */
function empty(options: { sectorBytes?: number } = {}): SimulatedFileSystem {
  const fs = new SimulatedFileSystem(options)
  fs.makeDirectories('/d')
  return fs
}

/** With a file `/d/a` that is durable. */
function withFile(text: string, options: { sectorBytes?: number } = {}): SimulatedFileSystem {
  const fs = empty(options)
  fs.writeBytes('/d/a', Buffer.from(text))
  return fs
}

/** What `look` sees after crashes with many seeds, each outcome once, in order. */
function outcomes(
  fs: SimulatedFileSystem,
  mode: RandomCrash['mode'],
  look: (crashed: SimulatedFileSystem) => string,
  operations: number = fs.operations,
): string[] {
  const random = new Random(seed)
  const seen = new Set<string>()
  for (let draw = 0; draw < draws; draw += 1) {
    seen.add(look(fs.crashState(operations, { mode, seed: random.next() })))
  }
  return [...seen].sort()
}

/** `name=text` for each file, directories and directories' names included. */
function picture(fs: SimulatedFileSystem): string {
  return [...fs.tree()]
    .filter(([path]) => path !== '/d')
    .map(([path, stat]) => (stat.isDirectory ? `${path}/` : `${path}=${textOf(fs, path)}`))
    .join(' ')
}

function textOf(fs: SimulatedFileSystem, path: string): string {
  if (!fs.tree().has(path)) return 'absent'
  return fs.bytesOf(path).toString('latin1').replaceAll('\0', '.')
}

function write(fs: SimulatedFileSystem, path: string, text: string, position = 0): void {
  const file = fs.open(path, 'write')
  file.writeSync(Buffer.from(text), position)
  file.close()
}

async function flush(fs: SimulatedFileSystem, path: string): Promise<void> {
  const file = fs.open(path, 'read')
  await file.datasync()
  file.close()
}

/** Each four bytes a sector, so that texts one can read are torn. */
const small = { sectorBytes: 4 }

test('a write that was not flushed is lost, kept, torn, or leaves its length only', () => {
  const fs = withFile('', small)
  write(fs, '/d/a', 'AAAABBBB')
  expect(outcomes(fs, 'harsh', (crashed) => textOf(crashed, '/d/a'))).toEqual([
    '',
    '........',
    '....BBBB',
    'AAAA',
    'AAAA....',
    'AAAABBBB',
  ])
})

test('writes that were not flushed survive in any order', () => {
  const fs = withFile('', small)
  write(fs, '/d/a', 'AAAA', 0)
  write(fs, '/d/a', 'BBBB', 4)
  write(fs, '/d/a', 'CCCC', 8)
  const seen = outcomes(fs, 'harsh', (crashed) => textOf(crashed, '/d/a'))
  for (const text of ['', 'AAAA', '....BBBB', 'AAAA....CCCC', '........CCCC', 'AAAABBBBCCCC']) {
    expect(seen).toContain(text)
  }
})

test('an overwritten place holds the old or the new bytes, sector by sector', () => {
  const fs = withFile('aaaabbbb', small)
  write(fs, '/d/a', 'AABB', 2)
  expect(outcomes(fs, 'harsh', (crashed) => textOf(crashed, '/d/a'))).toEqual([
    'aaAABBbb',
    'aaAAbbbb',
    'aaaaBBbb',
    'aaaabbbb',
  ])
})

test('a truncation that was not flushed is done or not, whatever became of later writes', () => {
  const fs = withFile('aaaabbbb', small)
  const file = fs.open('/d/a', 'write')
  file.truncate(4)
  file.writeSync(Buffer.from('CC'), 4)
  file.close()
  const seen = outcomes(fs, 'harsh', (crashed) => textOf(crashed, '/d/a'))
  expect(seen).toEqual(['aaaa', 'aaaa..', 'aaaaCC', 'aaaaCCbb', 'aaaabbbb'])
})

test('sectors have 512 bytes unless told otherwise', () => {
  const fs = withFile('')
  write(fs, '/d/a', `${'A'.repeat(512)}${'B'.repeat(512)}`)
  const lengths = new Set<number>()
  for (const text of outcomes(fs, 'harsh', (crashed) => textOf(crashed, '/d/a'))) {
    for (const run of text.match(/A+|B+|\.+/g) ?? []) lengths.add(run.length)
  }
  expect([...lengths].sort()).toEqual([1024, 512])
})

test('data that was flushed under a name that was flushed survives every crash', async () => {
  const fs = empty()
  const file = fs.open('/d/a', 'create')
  file.writeSync(Buffer.from('durable'), 0)
  await file.datasync()
  await fs.syncDirectory('/d')
  const safe = fs.operations
  file.writeSync(Buffer.from(' and not'), 7)
  fs.open('/d/b', 'create').close()
  file.close()
  for (let operations = safe; operations <= fs.operations; operations += 1) {
    for (const variant of everyVariant) {
      const crashed = fs.crashState(operations, variant)
      expect(textOf(crashed, '/d/a').slice(0, 7), describeVariant(variant)).toBe('durable')
    }
  }
})

test('a flush promises nothing before its end, nor what was written after its start', async () => {
  const fs = withFile('')
  const file = fs.open('/d/a', 'write')
  file.writeSync(Buffer.from('before'), 0)
  fs.holdFlushes()
  const flushed = file.datasync()
  file.writeSync(Buffer.from('after'), 6)
  const beforeEnd = fs.operations
  fs.resumeFlushes()
  await flushed
  expect(textOf(fs.crashState(beforeEnd, 'none'), '/d/a')).toBe('')
  expect(textOf(fs.crashState(fs.operations, 'none'), '/d/a')).toBe('before')
  expect(textOf(fs.crashState(fs.operations, 'all'), '/d/a')).toBe('beforeafter')
})

test('the fixed variants lose everything, nothing, the data only or the names only', () => {
  const fs = withFile('old')
  write(fs, '/d/a', 'newer')
  fs.open('/d/b', 'create').close()
  write(fs, '/d/b', 'more')
  const after = (variant: CrashVariant): string => picture(fs.crashState(fs.operations, variant))
  expect(after('none')).toBe('/d/a=old')
  expect(after('all')).toBe('/d/a=newer /d/b=more')
  expect(after('namesOnly')).toBe('/d/a=old.. /d/b=....')
  expect(after('dataOnly')).toBe('/d/a=newer')
})

test('a flushed file may lose its name until its directory is flushed, but for ext4', async () => {
  const fs = empty()
  fs.open('/d/a', 'create').close()
  write(fs, '/d/a', 'data')
  await flush(fs, '/d/a')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['', '/d/a=data'])
  expect(outcomes(fs, 'journaled', picture)).toEqual(['/d/a=data'])
  await fs.syncDirectory('/d')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=data'])
})

test('flushing a directory makes its names durable, not the data of its files', async () => {
  const fs = empty()
  fs.open('/d/a', 'create').close()
  write(fs, '/d/a', 'data')
  await fs.syncDirectory('/d')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=', '/d/a=....', '/d/a=data'])
})

test('flushing a directory does not make its own name durable', async () => {
  const fs = empty()
  fs.makeDirectory('/d/e')
  fs.open('/d/e/a', 'create').close()
  await fs.syncDirectory('/d/e')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['', '/d/e/ /d/e/a='])
})

test('directory operations survive one by one when harsh, in order when journaled', () => {
  const fs = empty()
  for (const name of ['a', 'b', 'c']) fs.open(`/d/${name}`, 'create').close()
  expect(outcomes(fs, 'harsh', picture)).toHaveLength(8)
  expect(outcomes(fs, 'journaled', picture)).toEqual([
    '',
    '/d/a=',
    '/d/a= /d/b=',
    '/d/a= /d/b= /d/c=',
  ])
})

test('flushing a directory promises only the names that were there when it started', async () => {
  const fs = empty()
  fs.open('/d/a', 'create').close()
  fs.holdFlushes()
  const flushed = fs.syncDirectory('/d')
  fs.open('/d/b', 'create').close()
  fs.resumeFlushes()
  await flushed
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=', '/d/a= /d/b='])
})

test('journaled, a truncation keeps its place among the directory operations', () => {
  const fs = withFile('text')
  fs.open('/d/b', 'create').close()
  const file = fs.open('/d/a', 'write')
  file.truncate(2)
  file.close()
  fs.open('/d/c', 'create').close()
  expect(outcomes(fs, 'journaled', picture)).toEqual([
    '/d/a=te /d/b=',
    '/d/a=te /d/b= /d/c=',
    '/d/a=text',
    '/d/a=text /d/b=',
  ])
})

test('a rename that was not flushed leaves the old name or the new one', async () => {
  const fs = withFile('text')
  fs.rename('/d/a', '/d/b')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=text', '/d/b=text'])
  await fs.syncDirectory('/d')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/b=text'])
})

test('a rename between directories needs both flushed, and is never half done', async () => {
  const fs = withFile('text')
  fs.makeDirectories('/d/e')
  fs.rename('/d/a', '/d/e/a')
  await fs.syncDirectory('/d/e')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=text /d/e/', '/d/e/ /d/e/a=text'])
  await fs.syncDirectory('/d')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/e/ /d/e/a=text'])
})

test('operations on one name keep their order', async () => {
  const fs = withFile('1')
  await fs.remove('/d/a')
  fs.open('/d/a', 'create').close()
  fs.rename('/d/a', '/d/b')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['', '/d/a=', '/d/a=1', '/d/b='])
})

test('what was moved out of a directory is not lost when the directory is removed', async () => {
  const fs = empty()
  fs.writeBytes('/d/e/a', Buffer.from('text'))
  fs.rename('/d/e/a', '/d/a')
  await fs.removeDirectory('/d/e')
  expect(outcomes(fs, 'harsh', picture)).toEqual([
    '/d/a=text',
    '/d/a=text /d/e/',
    '/d/e/ /d/e/a=text',
  ])
})

test('a removal that was not flushed may be undone, with the data', async () => {
  const fs = withFile('text')
  await fs.remove('/d/a')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['', '/d/a=text'])
  await fs.syncDirectory('/d')
  expect(outcomes(fs, 'harsh', picture)).toEqual([''])
})

test('a link survives with its bytes or not at all', () => {
  const fs = withFile('text')
  fs.link('/d/a', '/d/b')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=text', '/d/a=text /d/b=text'])
})

test('two directories moved into one another are never both lost', () => {
  const fs = empty()
  fs.makeDirectories('/d/x/y')
  fs.rename('/d/x/y', '/d/y')
  fs.rename('/d/x', '/d/y/x')
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/x/ /d/x/y/', '/d/x/ /d/y/', '/d/y/ /d/y/x/'])
})

test('journaled, a file grows without holes; a prefix has only its last write torn', () => {
  const fs = withFile('', small)
  for (const [index, letter] of ['AAAA', 'BBBB', 'CCCC'].entries()) {
    write(fs, '/d/a', letter, index * 4)
  }
  for (const mode of ['journaled', 'prefix'] as const) {
    const seen = outcomes(fs, mode, (crashed) => textOf(crashed, '/d/a'))
    for (const text of seen) expect('AAAABBBBCCCC'.startsWith(text), text).toBe(true)
    expect(seen.length).toBeGreaterThanOrEqual(4)
  }
})

test('a prefix keeps what came before what it keeps, over all files', () => {
  const fs = withFile('')
  fs.writeBytes('/d/b', Buffer.alloc(0))
  write(fs, '/d/a', '1')
  write(fs, '/d/b', '2')
  fs.rename('/d/a', '/d/c')
  expect(outcomes(fs, 'prefix', picture)).toEqual([
    '/d/a= /d/b=',
    '/d/a=1 /d/b=',
    '/d/a=1 /d/b=2',
    '/d/b=2 /d/c=1',
  ])
})

test('a small file that is replaced by the protocol is old or new after every crash', async () => {
  const fs = withFile('old content', small)
  await replaceSmallFile(fs, '/d/a', Buffer.from('new content, longer'))
  const seen = new Set<string>()
  for (let operations = 0; operations <= fs.operations; operations += 1) {
    for (const variant of everyVariant) {
      seen.add(textOf(fs.crashState(operations, variant), '/d/a'))
    }
  }
  expect([...seen].sort()).toEqual(['new content, longer', 'old content'])
  expect(outcomes(fs, 'harsh', picture)).toEqual(['/d/a=new content, longer'])
})

test('the protocol without its flush is caught: the new name can stand for nothing', () => {
  const fs = withFile('old', small)
  fs.open('/d/a.tmp', 'create').close()
  write(fs, '/d/a.tmp', 'newernew')
  fs.rename('/d/a.tmp', '/d/a')
  const seen = outcomes(fs, 'harsh', (crashed) => textOf(crashed, '/d/a'))
  for (const text of ['', 'newe', '....', '....rnew', 'old']) {
    expect(
      seen.some((each) => each.startsWith(text)),
      text,
    ).toBe(true)
  }
  expect(outcomes(fs, 'journaled', (crashed) => textOf(crashed, '/d/a'))).toContain('')
})

test('the same seed gives the same crash', () => {
  const fs = withFile('', small)
  for (let index = 0; index < 20; index += 1) write(fs, '/d/a', 'abcdefgh', index * 8)
  const variant = { mode: 'harsh', seed: 99 } as const
  const first = picture(fs.crashState(fs.operations, variant))
  fs.crashState(3, variant)
  expect(picture(fs.crashState(fs.operations, variant))).toBe(first)
})

test('a crash state crashes again, with a journal of its own', async () => {
  const fs = withFile('', small)
  write(fs, '/d/a', 'AAAA')
  const first = fs.crashState(fs.operations, 'all')
  expect(first.operations).toBe(0)
  write(first, '/d/a', 'BBBB', 4)
  expect(textOf(first.crashState(0, 'none'), '/d/a')).toBe('AAAA')
  expect(textOf(first.crashState(1, 'none'), '/d/a')).toBe('AAAA')
  const second = first.crashState(1, 'all')
  write(second, '/d/a', 'CCCC', 8)
  await flush(second, '/d/a')
  expect(textOf(second.crashState(second.operations, 'none'), '/d/a')).toBe('AAAABBBBCCCC')
  // What comes after a crash does not reach back into the file system that it was drawn from.
  expect(textOf(first, '/d/a')).toBe('AAAABBBB')
  expect(textOf(fs, '/d/a')).toBe('AAAA')
  expect(textOf(fs.crashState(fs.operations, 'none'), '/d/a')).toBe('')
})

test('a killed process loses nothing that it did, and nothing is flushed by its end', async () => {
  const fs = withFile('old')
  write(fs, '/d/a', 'new')
  fs.open('/d/b', 'create').close()
  const killed = fs.killState(fs.operations)
  expect(picture(fs.killState(1))).toBe('/d/a=new')
  expect(picture(killed)).toBe('/d/a=new /d/b=')
  expect(killed.openFiles()).toEqual([])
  expect(killed.operations).toBe(fs.operations)
  write(killed, '/d/b', 'later')
  expect(picture(killed.crashState(killed.operations, 'none'))).toBe('/d/a=old')
  await flush(killed, '/d/a')
  expect(picture(killed.crashState(killed.operations, 'none'))).toBe('/d/a=new')
})

test('a process can be killed in the middle of a write', () => {
  const fs = withFile('')
  write(fs, '/d/a', 'whole')
  expect(picture(fs.killState(1, 2))).toBe('/d/a=wh')
  expect(picture(fs.killState(1, 0))).toBe('/d/a=')
  fs.rename('/d/a', '/d/b')
  expect(() => fs.killState(2, 1)).toThrow(RangeError)
})

test('moments that never were are refused', () => {
  const fs = withFile('')
  expect(() => fs.crashState(fs.operations + 1, 'all')).toThrow(RangeError)
  expect(() => fs.crashState(-1, 'all')).toThrow(RangeError)
  expect(() => fs.killState(0.5)).toThrow(RangeError)
  expect(() => fs.describeOperation(fs.operations)).toThrow(RangeError)
})

test('operations can be told to people', async () => {
  const fs = empty()
  const file = fs.open('/d/a', 'create')
  file.writeSync(Buffer.from('abc'), 5)
  await file.datasync()
  file.truncate(1)
  fs.rename('/d/a', '/d/b')
  const lines = fs.journal.map((_operation, index) => fs.describeOperation(index))
  expect(lines).toEqual([
    'create /d/a',
    'write /d/a 5+3',
    'datasync /d/a',
    'flushed /d/a (started as operation 2)',
    'truncate /d/a to 1',
    'rename /d/a to /d/b',
  ])
  file.close()
})
