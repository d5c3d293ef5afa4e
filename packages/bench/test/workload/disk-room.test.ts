import { nodeFileSystem } from '@varve/log'
import { expect, test } from 'vitest'
import { BenchDiskFullError, BenchFailedError } from '../../src/workload/bench-errors.ts'
import { asDiskFull, bytesToLeave, requireRoom } from '../../src/workload/disk-room.ts'

const GiB = 2 ** 30
const withFree = (bytes: number) => ({ ...nodeFileSystem, freeBytes: async () => bytes })

test('a gibibyte is left of a large disk, and a tenth of a small one', () => {
  expect(bytesToLeave(500 * GiB)).toBe(GiB)
  expect(bytesToLeave(GiB)).toBe(Math.floor(GiB / 10))
  expect(bytesToLeave(0)).toBe(0)
})

test('what fits is not refused', async () => {
  await requireRoom('/disk', 9 * GiB, withFree(10 * GiB))
})

test('what does not fit is refused with how much it is, where, and what is free', async () => {
  const refused = requireRoom('/disk', 9.5 * GiB, withFree(10 * GiB))
  await expect(refused).rejects.toThrow(BenchDiskFullError)
  await expect(refused).rejects.toThrow('about 10.2 GB to /disk, where 10.7 GB are free')
  await expect(requireRoom('/disk', 2e6, withFree(1e6))).rejects.toThrow('1 MB are free')
})

test('a run that was refused room on the way fails for that, whatever failed after it', () => {
  const noSpace = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  const offline = new Error('the log is offline', { cause: noSpace })
  const closing = Object.assign(new Error('closing failed'), { suppressed: offline })
  for (const error of [noSpace, offline, closing]) {
    const told = asDiskFull(error, '/disk')
    expect(told).toBeInstanceOf(BenchDiskFullError)
    expect(told).toMatchObject({ code: 'VARVE_BENCH_DISK_FULL', directory: '/disk', cause: error })
  }
})

test('what failed for another reason stays what it is', () => {
  const loop = new Error('one')
  loop.cause = new Error('other', { cause: loop })
  for (const error of [loop, new BenchFailedError('no records arrived'), 'text', null]) {
    expect(asDiskFull(error, '/disk')).toBe(error)
  }
})
