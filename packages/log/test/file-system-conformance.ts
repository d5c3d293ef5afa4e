import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testChanges, testDescriptors, testPositions, testRefusals } from './file-conformance.ts'
import { type Context, codeOf, contextOf, type FileSystemFixture } from './file-system-fixture.ts'

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
    describe('changing', () => testChanges(current))
    describe('refusals', () => testRefusals(current))
    describe('names', () => testNames(current))
    describe('renaming', () => testRenames(current))
    describe('descriptors', () => testDescriptors(current))
    describe('the rest', () => testTheRest(current))
  })
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

function testTheRest(current: () => Context): void {
  test('files and directories are flushed, but a file not as a directory', async () => {
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
    const totalBytes = (await fs.totalBytes?.(at(''))) ?? Number.POSITIVE_INFINITY
    expect(totalBytes).toBeGreaterThanOrEqual(await fs.freeBytes(at('')))
  })
}
