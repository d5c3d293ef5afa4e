import { SimulatedFileSystem } from '@varve/log/testing'
import { describe, expect, test } from 'vitest'
import { allDone, writeFiles } from '../../src/restoring/whole-files.ts'

const files = ['a', 'b', 'c'].map((name) => ({ name, bytes: Buffer.from(`content of ${name}`) }))

describe('files that are written whole', () => {
  test('are durable when their names are, also in the place of others', async () => {
    const fs = new SimulatedFileSystem()
    fs.makeDirectories('/place')
    fs.writeBytes('/place/b', Buffer.alloc(100, 'old'))
    await writeFiles(fs, '/place', files)
    await fs.syncDirectory('/place')
    const left = fs.crashState(fs.operations, 'none')
    for (const { name, bytes } of files) expect(left.bytesOf(`/place/${name}`)).toEqual(bytes)
    expect(fs.openFiles()).toEqual([])
  })

  test.each(['EIO', 'ENOSPC'] as const)(
    'tell of a failure (%s) and leave none open',
    async (kind) => {
      const fs = new SimulatedFileSystem()
      fs.makeDirectories('/place')
      fs.injectFault({ kind, after: 3, counting: 'calls' })
      await expect(writeFiles(fs, '/place', files)).rejects.toMatchObject({ code: kind })
      expect(fs.openFiles()).toEqual([])
    },
  )
})

test('work fails when all of it is done, with the first failure', async () => {
  let isDone = false
  const slow = new Promise<void>((resolve) => {
    setImmediate(() => {
      isDone = true
      resolve()
    })
  })
  const work = [Promise.reject(new Error('first')), slow, Promise.reject(new Error('second'))]
  await expect(allDone(work)).rejects.toThrow('first')
  expect(isDone).toBe(true)
})
