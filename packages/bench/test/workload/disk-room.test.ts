import { nodeFileSystem } from '@varve/log'
import { expect, test } from 'vitest'
import { BenchFailedError } from '../../src/workload/bench-errors.ts'
import { bytesToLeave, requireRoom } from '../../src/workload/disk-room.ts'

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
  await expect(refused).rejects.toThrow(BenchFailedError)
  await expect(refused).rejects.toThrow('about 10.2 GB to /disk, where 10.7 GB are free')
  await expect(requireRoom('/disk', 2e6, withFree(1e6))).rejects.toThrow('1 MB are free')
})
