import type { File, FileSystem } from '@varve/log'
import { expect, test } from 'vitest'
import { describeMachine } from '../../src/measuring/machine.ts'

function withMounts(text: string | null): FileSystem {
  const bytes = Buffer.from(text ?? '')
  const file = {
    // A few bytes at a time, and never a size, as the kernel's own tables.
    readSync: (target: Uint8Array, position: number) => {
      return bytes.copy(target, 0, position, Math.min(bytes.length, position + 7))
    },
    sizeBytes: () => 0,
    close: () => undefined,
  } as Partial<File> as File
  return {
    stat: () => (text === null ? null : { fileId: 1, isDirectory: false, sizeBytes: 0 }),
    open: () => file,
  } as Partial<FileSystem> as FileSystem
}

test('names the innermost mount that holds the path', () => {
  const mounts = [
    '/dev/vda1 / ext4 rw,relatime 0 0',
    '/dev/vdb1 /data xfs rw,noatime 0 0',
    '/dev/vdc1 /database btrfs rw 0 0',
  ]
  const machine = describeMachine('/data/varve', withMounts(`${mounts.join('\n')}\n`))
  expect(machine).toMatchObject({ device: '/dev/vdb1', fileSystem: 'xfs (rw,noatime)' })
  expect(machine.node).toBe(process.version)
  const other = describeMachine('/home/varve', withMounts(mounts.join('\n')))
  expect(other.device).toBe('/dev/vda1')
})

test('where the system has no such table, the file system is unknown', () => {
  const machine = describeMachine('/data', withMounts(null))
  expect(machine).toMatchObject({ device: 'unknown', fileSystem: 'unknown' })
})
