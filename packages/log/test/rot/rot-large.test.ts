import { expect, test } from 'vitest'
import { scaled } from '../../../record/test/campaign-scale.ts'
import { Random, seedFromEnvironment } from '../../src/testing/index.ts'
import { faults, findings } from './oracle.ts'
import { large } from './shapes.ts'

// VARVE_CAMPAIGN=long flips ten thousand bits of a large segment, the short form some of a smaller.
const isLong = process.env['VARVE_CAMPAIGN'] === 'long'
const seed = seedFromEnvironment('rot-large.test.ts')
const timeout = isLong ? 3_600_000 : 60_000

test(
  'random bits of a large segment are found out, each in its place',
  async () => {
    const shape = await large(isLong ? 4 * 2 ** 20 : 200_000, seed)
    const random = new Random(seed)
    const path = '/data/t-0/00000000000000000000.log'
    const sizeBytes = shape.fs.stat(path)?.sizeBytes ?? 0
    expect(await findings(shape.fs)).toEqual([])
    const rounds = isLong ? scaled(10_000) : 60
    for (let round = 0; round < rounds; round += 1) {
      const bit = random.int(sizeBytes * 8)
      // The same file system again and again: copies of a large one are not made.
      shape.fs.flipBit(path, bit)
      const found = await faults(shape.fs, path)
      shape.fs.flipBit(path, bit)
      const byte = bit >> 3
      const isFound = found.some(
        (it) => it.path === path && it.position <= byte && byte < it.position + it.sizeBytes,
      )
      expect(isFound, `byte ${byte} bit ${bit & 7}: ${JSON.stringify(found)}`).toBe(true)
    }
    expect(await findings(shape.fs)).toEqual([])
    if (isLong) process.stdout.write(`${rounds} bits of ${sizeBytes} bytes flipped, verified\n`)
  },
  timeout,
)
