import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { File, FileSystem } from '../src/file-system.ts'

/** A file system under test, with a directory in it that is empty. */
export interface FileSystemFixture {
  readonly fs: FileSystem
  readonly directory: string
  remove(): void
}

/** What the engine relies on, whichever file system is below it. */
export function describeFileSystem(name: string, make: () => FileSystemFixture): void {
  describe(`contract of ${name}:`, () => {
    let fixture: FileSystemFixture
    let context: Context
    beforeEach(() => {
      fixture = make()
      context = contextOf(fixture)
    })
    afterEach(() => fixture.remove())
    const current = (): Context => context
    describe('opening', () => testOpening(current))
    describe('reading and writing', () => testPositions(current))
    describe('names', () => testNames(current))
    describe('renaming', () => testRenames(current))
    describe('descriptors', () => testDescriptors(current))
    describe('the rest', () => testTheRest(current))
  })
}

interface Context {
  readonly fs: FileSystem
  readonly at: (path: string) => string
  readonly put: (path: string, text: string) => void
  readonly textAt: (path: string) => string
  readonly names: (path?: string) => string[]
}

function contextOf({ fs, directory }: FileSystemFixture): Context {
  const at = (path: string): string => (path === '' ? directory : `${directory}/${path}`)
  const put = (path: string, text: string): void => {
    const file = fs.open(at(path), 'replace')
    file.writeSync(Buffer.from(text), 0)
    file.close()
  }
  const textAt = (path: string): string => {
    const file = fs.open(at(path), 'read')
    const text = textOf(file)
    file.close()
    return text
  }
  const names = (path = ''): string[] => [...fs.list(at(path))].sort()
  return { fs, at, put, textAt, names }
}

function textOf(file: File): string {
  const bytes = Buffer.alloc(file.sizeBytes())
  expect(file.readSync(bytes, 0)).toBe(bytes.length)
  return bytes.toString('latin1')
}

/** The code that a call fails with, 'none' when it succeeds. */
async function codeOf(call: () => unknown): Promise<string> {
  try {
    await call()
    return 'none'
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
}

function testOpening(current: () => Context): void {
  test('a file that is not there is ENOENT, but for the modes that make it', async () => {
    const { fs, at } = current()
    expect(await codeOf(() => fs.open(at('a'), 'read'))).toBe('ENOENT')
    expect(await codeOf(() => fs.open(at('a'), 'write'))).toBe('ENOENT')
    fs.open(at('a'), 'create').close()
    fs.open(at('b'), 'replace').close()
    expect(current().names()).toEqual(['a', 'b'])
  })

  test('create refuses what exists, file or directory', async () => {
    const { fs, at, put } = current()
    put('a', 'kept')
    fs.makeDirectory(at('d'))
    expect(await codeOf(() => fs.open(at('a'), 'create'))).toBe('EEXIST')
    expect(await codeOf(() => fs.open(at('d'), 'create'))).toBe('EEXIST')
    expect(current().textAt('a')).toBe('kept')
  })

  test('replace empties what exists, write and read leave it alone', () => {
    const { fs, at, put, textAt } = current()
    put('a', 'before')
    fs.open(at('a'), 'write').close()
    fs.open(at('a'), 'read').close()
    expect(textAt('a')).toBe('before')
    fs.open(at('a'), 'replace').close()
    expect(textAt('a')).toBe('')
  })

  test('a directory cannot be opened for writing or be read', async () => {
    const { fs, at } = current()
    fs.makeDirectory(at('d'))
    expect(await codeOf(() => fs.open(at('d'), 'write'))).toBe('EISDIR')
    expect(await codeOf(() => fs.open(at('d'), 'replace'))).toBe('EISDIR')
    const read = (): number => {
      const file = fs.open(at('d'), 'read')
      try {
        return file.readSync(Buffer.alloc(1), 0)
      } finally {
        file.close()
      }
    }
    expect(await codeOf(read)).toBe('EISDIR')
  })

  test('a file in the place of a directory is ENOTDIR, a missing one ENOENT', async () => {
    const { fs, at, put } = current()
    put('a', '')
    const calls = (path: string): (() => unknown)[] => [
      () => fs.setModifiedTime(at(path), 0),
      () => fs.open(at(path), 'create').close(),
      () => fs.open(at(path), 'read').close(),
      () => fs.makeDirectory(at(path)),
      () => fs.list(at(path)),
      () => fs.remove(at(path)),
      () => fs.removeDirectory(at(path)),
      () => fs.syncDirectory(at(path)),
      () => fs.rename(at(path), at('b')),
      () => fs.link(at(path), at('b')),
    ]
    for (const call of calls('a/b')) expect(await codeOf(call)).toBe('ENOTDIR')
    expect(await codeOf(() => fs.stat(at('a/b')))).toBe('ENOTDIR')
    for (const call of calls('missing/b')) expect(await codeOf(call)).toBe('ENOENT')
  })

  test('a name of more than 255 bytes is ENAMETOOLONG', async () => {
    const { fs, at } = current()
    fs.open(at('x'.repeat(255)), 'create').close()
    expect(await codeOf(() => fs.open(at('x'.repeat(256)), 'create'))).toBe('ENAMETOOLONG')
    expect(await codeOf(() => fs.open(at('ü'.repeat(128)), 'read'))).toBe('ENAMETOOLONG')
  })
}

function testPositions(current: () => Context): void {
  test('what is written is read back, in both forms', async () => {
    const { fs, at } = current()
    const file = fs.open(at('a'), 'create')
    expect(file.writeSync(Buffer.from('hello '), 0)).toBe(6)
    expect(await file.write(Buffer.from('world'), 6)).toBe(5)
    expect(file.sizeBytes()).toBe(11)
    const target = Buffer.alloc(5)
    expect(file.readSync(target, 6)).toBe(5)
    expect(target.toString()).toBe('world')
    expect(await file.read(target, 0)).toBe(5)
    expect(target.toString()).toBe('hello')
    file.close()
  })

  test('a read fills the target as far as the file goes and leaves the rest of it alone', async () => {
    const { fs, at, put } = current()
    put('a', '0123456789')
    const file = fs.open(at('a'), 'read')
    for (const read of [file.readSync.bind(file), file.read.bind(file)]) {
      const target = Buffer.alloc(6, '-')
      expect(await read(target, 7)).toBe(3)
      expect(target.toString()).toBe('789---')
      expect(await read(target, 10)).toBe(0)
      expect(await read(target, 1_000_000)).toBe(0)
      expect(await read(Buffer.alloc(0), 0)).toBe(0)
      expect(target.toString()).toBe('789---')
    }
    file.close()
  })

  test('writing past the end leaves zeros between', () => {
    const { fs, at, textAt } = current()
    const file = fs.open(at('a'), 'create')
    file.writeSync(Buffer.from('end'), 5)
    file.close()
    expect(textAt('a')).toBe('\0\0\0\0\0end')
  })

  test('writing in the middle changes only that', () => {
    const { fs, at, put, textAt } = current()
    put('a', 'abcdef')
    const file = fs.open(at('a'), 'write')
    file.writeSync(Buffer.from('XY'), 2)
    file.close()
    expect(textAt('a')).toBe('abXYef')
  })

  test('truncating cuts, and what grows back is zeros', () => {
    const { fs, at, put, textAt } = current()
    put('a', 'secret')
    const file = fs.open(at('a'), 'write')
    file.truncate(2)
    expect(file.sizeBytes()).toBe(2)
    file.truncate(4)
    file.writeSync(Buffer.from('!'), 5)
    file.close()
    expect(textAt('a')).toBe('se\0\0\0!')
  })

  test('an empty write writes nothing and grows nothing', async () => {
    const { fs, at } = current()
    const file = fs.open(at('a'), 'create')
    expect(file.writeSync(Buffer.alloc(0), 10)).toBe(0)
    expect(await file.write(Buffer.alloc(0), 10)).toBe(0)
    expect(file.sizeBytes()).toBe(0)
    file.close()
  })

  test('a buffer may be reused once it is written', async () => {
    const { fs, at, textAt } = current()
    const file = fs.open(at('a'), 'create')
    const buffer = Buffer.from('one')
    file.writeSync(buffer, 0)
    buffer.write('two')
    await file.write(buffer, 3)
    buffer.fill(0)
    file.close()
    expect(textAt('a')).toBe('onetwo')
  })

  test('a descriptor for reading refuses to change the file', async () => {
    const { fs, at, put, textAt } = current()
    put('a', 'kept')
    const file = fs.open(at('a'), 'read')
    expect(await codeOf(() => file.writeSync(Buffer.from('x'), 0))).toBe('EBADF')
    expect(await codeOf(() => file.write(Buffer.from('x'), 0))).toBe('EBADF')
    expect(await codeOf(() => file.truncate(0))).toBe('EINVAL')
    await file.datasync()
    file.close()
    expect(textAt('a')).toBe('kept')
  })

  test('a negative position is a mistake, not the place where the last call ended', async () => {
    const { fs, at } = current()
    const file = fs.open(at('a'), 'create')
    const byte = Buffer.alloc(1)
    expect(await codeOf(() => file.writeSync(byte, -1))).toBe('ERR_ASSERTION')
    expect(await codeOf(() => file.readSync(byte, -1))).toBe('ERR_ASSERTION')
    expect(await codeOf(() => file.write(byte, -1))).toBe('ERR_ASSERTION')
    expect(await codeOf(() => file.read(byte, Number.NaN))).toBe('ERR_ASSERTION')
    expect(await codeOf(() => file.truncate(0.5))).toBe('ERR_ASSERTION')
    file.close()
  })
}

function testNames(current: () => Context): void {
  test('directories are made one at a time, listed, and removed when empty', async () => {
    const { fs, at, put, names } = current()
    expect(await codeOf(() => fs.makeDirectory(at('d/e')))).toBe('ENOENT')
    fs.makeDirectory(at('d'))
    expect(await codeOf(() => fs.makeDirectory(at('d')))).toBe('EEXIST')
    put('d/a', '')
    fs.makeDirectory(at('d/e'))
    expect(names('d')).toEqual(['a', 'e'])
    expect(await codeOf(() => fs.removeDirectory(at('d')))).toBe('ENOTEMPTY')
    expect(await codeOf(() => fs.removeDirectory(at('d/a')))).toBe('ENOTDIR')
    expect(await codeOf(() => fs.remove(at('d/e')))).toMatch(/EISDIR|EPERM/)
    await fs.remove(at('d/a'))
    await fs.removeDirectory(at('d/e'))
    await fs.removeDirectory(at('d'))
    expect(names()).toEqual([])
    expect(await codeOf(() => fs.remove(at('d')))).toBe('ENOENT')
    expect(await codeOf(() => fs.removeDirectory(at('d')))).toBe('ENOENT')
    expect(await codeOf(() => fs.list(at('d')))).toBe('ENOENT')
  })

  test('listing a file is ENOTDIR', async () => {
    const { fs, at, put } = current()
    put('a', '')
    expect(await codeOf(() => fs.list(at('a')))).toBe('ENOTDIR')
  })

  test('stat tells kind and size, and null where nothing is', () => {
    const { fs, at, put } = current()
    put('a', 'four')
    fs.makeDirectory(at('d'))
    expect(fs.stat(at('a'))).toMatchObject({ isDirectory: false, sizeBytes: 4 })
    expect(fs.stat(at('d'))).toMatchObject({ isDirectory: true })
    expect(fs.stat(at('b'))).toBeNull()
    expect(fs.stat(at('b/c'))).toBeNull()
  })

  test('the time of modification can be set', async () => {
    const { fs, at, put } = current()
    put('a', 'x')
    fs.setModifiedTime(at('a'), 1_600_000_000_000)
    expect(fs.stat(at('a'))?.modifiedMs).toBe(1_600_000_000_000)
    expect(await codeOf(() => fs.setModifiedTime(at('b'), 0))).toBe('ENOENT')
  })

  test('a link is a second name of the same file', async () => {
    const { fs, at, put, textAt } = current()
    put('a', 'old')
    put('c', '')
    fs.link(at('a'), at('b'))
    put('a', 'new')
    expect(textAt('b')).toBe('new')
    await fs.remove(at('a'))
    expect(textAt('b')).toBe('new')
    expect(await codeOf(() => fs.link(at('b'), at('c')))).toBe('EEXIST')
    expect(await codeOf(() => fs.link(at('missing'), at('d')))).toBe('ENOENT')
    fs.makeDirectory(at('e'))
    expect(await codeOf(() => fs.link(at('e'), at('f')))).toBe('EPERM')
  })
}

function testRenames(current: () => Context): void {
  test('a rename moves a file and replaces the file of that name', () => {
    const { fs, at, put, textAt, names } = current()
    put('a', 'new')
    put('b', 'old')
    fs.rename(at('a'), at('b'))
    expect(names()).toEqual(['b'])
    expect(textAt('b')).toBe('new')
  })

  test('renaming to its own name, or to another name of the same file, does nothing', () => {
    const { fs, at, put, names } = current()
    put('a', 'x')
    fs.link(at('a'), at('b'))
    fs.rename(at('a'), at('a'))
    fs.rename(at('a'), at('b'))
    expect(names()).toEqual(['a', 'b'])
  })

  test('a rename moves a directory with what is in it, also over an empty one', () => {
    const { fs, at, put, textAt, names } = current()
    fs.makeDirectory(at('d'))
    put('d/a', 'inside')
    fs.makeDirectory(at('e'))
    fs.rename(at('d'), at('e'))
    expect(names()).toEqual(['e'])
    expect(textAt('e/a')).toBe('inside')
  })

  test('a rename refuses what would lose something', async () => {
    const { fs, at, put, names } = current()
    put('a', '')
    fs.makeDirectory(at('d'))
    fs.makeDirectory(at('full'))
    put('full/b', '')
    expect(await codeOf(() => fs.rename(at('a'), at('d')))).toBe('EISDIR')
    expect(await codeOf(() => fs.rename(at('d'), at('a')))).toBe('ENOTDIR')
    expect(await codeOf(() => fs.rename(at('d'), at('full')))).toBe('ENOTEMPTY')
    expect(await codeOf(() => fs.rename(at('full'), at('full/c')))).toBe('EINVAL')
    expect(await codeOf(() => fs.rename(at('missing'), at('x')))).toBe('ENOENT')
    expect(await codeOf(() => fs.rename(at('a'), at('missing/x')))).toBe('ENOENT')
    expect(names()).toEqual(['a', 'd', 'full'])
    expect(names('full')).toEqual(['b'])
  })
}

function testDescriptors(current: () => Context): void {
  test('an open file survives its renaming and its removal', async () => {
    const { fs, at, put, names } = current()
    put('a', 'first')
    const file = fs.open(at('a'), 'write')
    fs.rename(at('a'), at('b'))
    put('a', 'other')
    expect(textOf(file)).toBe('first')
    await fs.remove(at('b'))
    file.writeSync(Buffer.from('F'), 0)
    await file.datasync()
    expect(textOf(file)).toBe('First')
    file.close()
    expect(names()).toEqual(['a'])
  })

  test('an open file that is renamed over keeps its own bytes', () => {
    const { fs, at, put, textAt } = current()
    put('a', 'old')
    put('b', 'new')
    const file = fs.open(at('a'), 'read')
    fs.rename(at('b'), at('a'))
    expect(textOf(file)).toBe('old')
    expect(textAt('a')).toBe('new')
    file.close()
  })

  test('two descriptors of one file see each other at once', () => {
    const { fs, at } = current()
    const writer = fs.open(at('a'), 'create')
    const reader = fs.open(at('a'), 'read')
    writer.writeSync(Buffer.from('seen'), 0)
    expect(textOf(reader)).toBe('seen')
    writer.close()
    reader.close()
  })

  test('closing twice is fine, and every other call afterwards is EBADF', async () => {
    const { fs, at } = current()
    const file = fs.open(at('a'), 'create')
    const byte = Buffer.alloc(1)
    file.close()
    file.close()
    const calls = [
      () => file.sizeBytes(),
      () => file.readSync(byte, 0),
      () => file.read(byte, 0),
      () => file.writeSync(byte, 0),
      () => file.write(byte, 0),
      () => file.datasync(),
      () => file.truncate(0),
    ]
    for (const call of calls) expect(await codeOf(call)).toBe('EBADF')
  })

  test('closing during a call lets the call end', async () => {
    const { fs, at, textAt } = current()
    const file = fs.open(at('a'), 'create')
    const calls = [file.write(Buffer.from('late'), 0), file.datasync()]
    file.close()
    const other = fs.open(at('b'), 'create')
    await Promise.all(calls)
    expect(textAt('a')).toBe('late')
    expect(textAt('b')).toBe('')
    other.close()
  })
}

function testTheRest(current: () => Context): void {
  test('flushing succeeds for files and directories, and is ENOTDIR for a file as directory', async () => {
    const { fs, at } = current()
    fs.makeDirectory(at('d'))
    const file = fs.open(at('d/a'), 'create')
    file.writeSync(Buffer.from('x'), 0)
    await file.datasync()
    await fs.syncDirectory(at('d'))
    await fs.syncDirectory(at(''))
    expect(await codeOf(() => fs.syncDirectory(at('d/a')))).toBe('ENOTDIR')
    file.close()
  })

  test('a lock keeps a second holder out until it is released', async () => {
    const { fs, at, names } = current()
    const first = await fs.lock(at('.lock'))
    expect(first).not.toBeNull()
    expect(await fs.lock(at('.lock'))).toBeNull()
    const other = await fs.lock(at('.other'))
    expect(other).not.toBeNull()
    first?.release()
    const second = await fs.lock(at('.lock'))
    expect(second).not.toBeNull()
    // Releasing again must not release what somebody else holds by now.
    first?.release()
    expect(await fs.lock(at('.lock'))).toBeNull()
    second?.release()
    other?.release()
    expect(names()).toEqual(['.lock', '.other'])
  })

  test('of two that ask for a lock at the same moment one gets it', async () => {
    const { fs, at } = current()
    const locks = await Promise.all([fs.lock(at('.lock')), fs.lock(at('.lock'))])
    expect(locks.filter((lock) => lock !== null)).toHaveLength(1)
    for (const lock of locks) lock?.release()
  })

  test('a lock where no file can be is an error, not a lock held elsewhere', async () => {
    const { fs, at } = current()
    expect(await codeOf(() => fs.lock(at('missing/.lock')))).toBe('ENOENT')
  })

  test('free space is known', async () => {
    const { fs, at } = current()
    expect(await fs.freeBytes(at(''))).toBeGreaterThan(0)
    expect(await codeOf(() => fs.freeBytes(at('missing')))).toBe('ENOENT')
  })
}
