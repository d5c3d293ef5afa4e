import { expect, test } from 'vitest'
import { type Context, codeOf, textOf } from './file-system-fixture.ts'

// What the engine relies on in an open file.

export function testPositions(current: () => Context): void {
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

  test('a read fills the target as far as the file goes, and no further', async () => {
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
}

export function testChanges(current: () => Context): void {
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
}

export function testRefusals(current: () => Context): void {
  test('a descriptor for reading refuses to change the file', async () => {
    const { fs, at, put, textAt } = current()
    put('a', 'kept')
    const file = fs.open(at('a'), 'read')
    expect(await codeOf(() => file.writeSync(Buffer.from('x'), 0))).toBe('EBADF')
    expect(await codeOf(() => file.write(Buffer.from('x'), 0))).toBe('EBADF')
    expect(await codeOf(() => file.truncate(0))).toBe('EINVAL')
    await file.datasync()
    file.datasyncSync()
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

export function testDescriptors(current: () => Context): void {
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
      () => file.datasyncSync(),
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
