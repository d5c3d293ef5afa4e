import { expect, test } from 'vitest'
import { splitZstdFrames } from '../../src/compression/zstd-frames.ts'
import { compress } from '../../src/index.ts'
import { sampleNoise, sampleText } from './sample-bytes.ts'

const skippable = Buffer.from('5f2a4d18' + '02000000' + '0102', 'hex')

test('frames of every size are found to their last byte', () => {
  for (const size of [0, 1, 255, 256, 300, 65_791, 65_792, 200_000, 400_000]) {
    for (const content of [sampleText(size), sampleNoise(size), Buffer.alloc(size)]) {
      const frame = compress('zstd', content)
      const found = splitZstdFrames(Buffer.concat([frame, skippable, frame]))
      expect(found?.map((bytes) => bytes.equals(frame))).toEqual([true, true])
    }
  }
})

test('a checksum and a dictionary id belong to the frame', () => {
  const frame = Buffer.from(
    '28b52ffd' + '07' + '58' + '01020304' + '290000' + '68656c6c6f' + 'aabbccdd',
    'hex',
  )
  expect(splitZstdFrames(frame)).toEqual([frame])
})

test('a stream that does not end with a frame is no stream', () => {
  const frame = compress('zstd', sampleText(5000))
  for (let size = 1; size < frame.length; size++) {
    expect(splitZstdFrames(frame.subarray(0, size))).toBeNull()
  }
  expect(splitZstdFrames(Buffer.concat([frame, Buffer.from('noise behind')]))).toBeNull()
  expect(splitZstdFrames(skippable.subarray(0, 9))).toBeNull()
})

test('a reserved block type is refused', () => {
  expect(splitZstdFrames(Buffer.from('28b52ffd' + '00' + '58' + '070000', 'hex'))).toBeNull()
})
