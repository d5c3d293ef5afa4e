import { randomBytes } from 'node:crypto'
import { InvalidArgumentError } from '@varve/record'
import { describe, expect, type TestContext, test } from 'vitest'
import type { StoredFile, Target } from '../../src/target/target.ts'

/** A place that holds nothing yet, and that any number of targets can be opened on. */
export interface TargetPlace {
  open(): Promise<Target>
}

export interface ConformanceOptions {
  /** More than one page of a listing. @defaultValue 1005 */
  readonly manyFiles?: number
  /** Largest file that is tried. @defaultValue 3 MiB */
  readonly largeBytes?: number
}

/** What every target has to do, whatever is behind it. */
export function describeTarget(
  name: string,
  makePlace: (context: Pick<TestContext, 'onTestFinished'>) => Promise<TargetPlace>,
  { manyFiles = 1005, largeBytes = 3 * 2 ** 20 }: ConformanceOptions = {},
): void {
  const targetOf = async (context: TestContext): Promise<Target> =>
    (await makePlace(context)).open()

  describe(`${name} as a target`, () => {
    test('gives back what it was given, whatever the size', async (context) => {
      const target = await targetOf(context)
      for (const size of [0, 1, 4096, largeBytes]) {
        const bytes = randomBytes(size)
        expect(await target.put(`of/${size}`, bytes)).toBe(true)
        expect((await target.get(`of/${size}`))?.equals(bytes)).toBe(true)
        expect(await target.stat(`of/${size}`)).toMatchObject({ sizeBytes: size })
      }
      await target.close()
    })

    test('has nothing where nothing was put', async (context) => {
      const target = await targetOf(context)
      await target.put('a/file', Buffer.from('x'))
      for (const key of ['b', 'a', 'a/file/below', 'a/fil', 'a/file2']) {
        expect(await target.get(key), key).toBe(null)
        expect(await target.stat(key), key).toBe(null)
      }
      expect(await listed(target, 'b/')).toEqual([])
      await target.close()
    })

    test('makes a file once, and replaces it only when told to', async (context) => {
      const target = await targetOf(context)
      expect(await target.put('file', Buffer.from('first'))).toBe(true)
      expect(await target.put('file', Buffer.from('second'), { mode: 'new' })).toBe(false)
      expect(String(await target.get('file'))).toBe('first')
      expect(await target.put('file', Buffer.from('third'), { mode: 'replace' })).toBe(true)
      expect(String(await target.get('file'))).toBe('third')
      expect(await target.put('other', Buffer.from('new'), { mode: 'replace' })).toBe(true)
      expect(String(await target.get('other'))).toBe('new')
      await target.close()
    })

    test('lists what begins with a prefix, sorted by key, and nothing else', async (context) => {
      const target = await targetOf(context)
      const keys = ['a-b/1', 'a.b/1', 'a/b', 'a/b-c', 'a/c/d/e', 'aa/b', 'b', 'B/x', '0']
      for (const key of keys) await target.put(key, Buffer.from(key))
      const inOrder = keys.toSorted()
      expect((await listed(target, '')).map(({ key }) => key)).toEqual(inOrder)
      const underA = inOrder.filter((key) => key.startsWith('a/'))
      expect((await listed(target, 'a/')).map(({ key }) => key)).toEqual(underA)
      for (const { key, sizeBytes, modifiedMs } of await listed(target, '')) {
        expect({ key, sizeBytes }).toEqual({ key, sizeBytes: key.length })
        expect(Math.abs(modifiedMs - ((await target.stat(key))?.modifiedMs ?? 0))).toBeLessThan(
          1001,
        )
      }
      await target.close()
    })

    test(`lists all of ${manyFiles} files`, async (context) => {
      const target = await targetOf(context)
      const keys = Array.from({ length: manyFiles }, (_, index) => `many/${String(index)}`)
      const next = keys.values()
      const lane = async (): Promise<void> => {
        for (const key of next) await target.put(key, Buffer.from(key), { mode: 'replace' })
      }
      await Promise.all(Array.from({ length: 8 }, lane))
      expect((await listed(target, 'many/')).map(({ key }) => key)).toEqual(keys.toSorted())
      await Promise.all(keys.map((key) => target.remove(key)))
      expect(await listed(target, 'many/')).toEqual([])
      await target.close()
    })

    test('removes, also what is not there', async (context) => {
      const target = await targetOf(context)
      await target.put('a/b', Buffer.from('x'))
      await target.put('a/c', Buffer.from('y'))
      for (const key of ['a/b', 'a/b', 'never', 'never/at/all']) await target.remove(key)
      expect(await target.get('a/b')).toBe(null)
      expect((await listed(target, '')).map(({ key }) => key)).toEqual(['a/c'])
      expect(await target.put('a/b', Buffer.from('again'))).toBe(true)
      expect(String(await target.get('a/b'))).toBe('again')
      await target.close()
    })

    test('shows everything to others at once', async (context) => {
      const place = await makePlace(context)
      const [writer, reader] = [await place.open(), await place.open()]
      for (let round = 0; round < 10; round++) {
        const bytes = randomBytes(100)
        await writer.put(`round/${round}`, bytes)
        expect((await reader.get(`round/${round}`))?.equals(bytes)).toBe(true)
        expect(await listed(reader, 'round/')).toHaveLength(1)
        await writer.remove(`round/${round}`)
        expect(await reader.stat(`round/${round}`)).toBe(null)
      }
      await writer.close()
      await reader.close()
    })

    test('lets one of several who make the same file be first', async (context) => {
      const place = await makePlace(context)
      const targets = await Promise.all(Array.from({ length: 6 }, () => place.open()))
      // So that each knows what the store can do.
      for (const target of targets) await target.put('before', Buffer.from('x'))
      for (let round = 0; round < 5; round++) {
        const key = `race/${round}`
        const made = await Promise.all(
          targets.map((target, index) => target.put(key, Buffer.from(`by ${index}`))),
        )
        const winners = made.flatMap((isFirst, index) => (isFirst ? [`by ${index}`] : []))
        expect(winners.length).toBeGreaterThan(0)
        expect(winners).toContain(String(await targets[0]?.get(key)))
        if (targets.every(({ isCreateOnlyAtomic }) => isCreateOnlyAtomic)) {
          expect(winners).toHaveLength(1)
        }
      }
      for (const target of targets) await target.close()
    })

    test('never shows a part of a file that is being replaced', async (context) => {
      const place = await makePlace(context)
      const [writer, reader] = [await place.open(), await place.open()]
      const contents = [Buffer.alloc(300_000, 1), Buffer.alloc(200_000, 2)]
      await writer.put('file', contents[0] as Buffer)
      let isWriting = true
      const writing = (async () => {
        for (let round = 0; round < 20; round++) {
          await writer.put('file', contents[round % 2] as Buffer, { mode: 'replace' })
        }
        isWriting = false
      })()
      while (isWriting) {
        const read = await reader.get('file')
        expect(contents.some((content) => read?.equals(content))).toBe(true)
      }
      await writing
      await writer.close()
      await reader.close()
    })

    test('takes no key that leads out of the repository', async (context) => {
      const target = await targetOf(context)
      const keys = ['', '/', '/a', 'a/', 'a//b', '..', '../a', 'a/../b', './a', 'ä', 'a b', 'a\\b']
      for (const key of [...keys, 'a'.repeat(513)]) {
        const calls = [
          async () => target.put(key, Buffer.from('x')),
          async () => target.get(key),
          async () => target.stat(key),
          async () => target.remove(key),
        ]
        for (const call of calls) await expect(call(), key).rejects.toThrow(InvalidArgumentError)
      }
      await expect(listed(target, '../')).rejects.toThrow(InvalidArgumentError)
      const longest = Array.from({ length: 4 }, () => 'k'.repeat(127)).join('/')
      expect(await target.put(longest, Buffer.from('x'))).toBe(true)
      expect((await listed(target, '')).map(({ key }) => key)).toEqual([longest])
      await target.close()
    })

    test('writes nothing or everything when it is told to stop', async (context) => {
      const target = await targetOf(context)
      const bytes = randomBytes(500_000)
      for (const delayMs of [0, 0, 1, 2, 5]) {
        const stopping = new AbortController()
        const put = target.put('file', bytes, { signal: stopping.signal }).catch((error) => error)
        if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
        stopping.abort(new Error('enough'))
        const result = await put
        if (typeof result !== 'boolean') expect(result).toEqual(new Error('enough'))
        const read = await target.get('file')
        expect(read === null || read.equals(bytes)).toBe(true)
        if (result === true) expect(read).not.toBe(null)
        await target.remove('file')
      }
      await target.close()
    })
  })
}

async function listed(target: Target, prefix: string): Promise<readonly StoredFile[]> {
  const files: StoredFile[] = []
  for await (const file of target.list(prefix)) files.push(file)
  return files
}
