import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameSplitter } from '../../src/protocol/frame-splitter.ts'
import { checkProperty } from '../property.ts'

const megabyte = 1024 * 1024

test('frames come out whole wherever a stream is cut in two or three', () => {
  const frames = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('x'), Buffer.from('the last')]
  const stream = streamOf(frames)
  for (let one = 0; one <= stream.length; one++) {
    for (let other = one; other <= stream.length; other++) {
      const splitter = new FrameSplitter(100)
      const pieces = [stream.subarray(0, one), stream.subarray(one, other), stream.subarray(other)]
      expect(pieces.flatMap((piece) => splitter.push(piece))).toEqual(frames)
      expect(splitter.isInsideFrame).toBe(false)
      expect(splitter.heldBytes).toBe(0)
    }
  }
})

test('frames come out whole, and as soon as they are, whatever pieces a stream comes in', () => {
  const input = fc.tuple(
    fc.array(fc.oneof(fc.nat(30), fc.nat(20_000)), { minLength: 1, maxLength: 5 }),
    fc.array(fc.oneof(fc.nat(7), fc.nat(9000)), { minLength: 1, maxLength: 30 }),
  )
  checkProperty(input, 60, ([sizes, cuts]) => {
    const frames = sizes.map((size, index) => Buffer.alloc(size, index + 1))
    const stream = streamOf(frames)
    const ends = endsOf(frames)
    const splitter = new FrameSplitter(20_000)
    const found: Buffer[] = []
    for (let at = 0, turn = 0; at < stream.length; turn++) {
      const end = Math.min(stream.length, at + 1 + (cuts[turn % cuts.length] ?? 0))
      found.push(...splitter.push(Buffer.from(stream.subarray(at, end))))
      at = end
      // `expect` at every byte would be what takes the time.
      if (found.length !== ends.filter((frameEnd) => frameEnd <= at).length) expect.unreachable()
      if (splitter.isInsideFrame === ends.includes(at)) expect.unreachable()
    }
    expect(found.length).toBe(frames.length)
    for (const [index, frame] of frames.entries()) expect(found[index]?.equals(frame)).toBe(true)
  })
})

test('a frame in one piece is a view of it', () => {
  const piece = streamOf([Buffer.from('here')])
  const [frame] = new FrameSplitter(10).push(piece)
  expect(frame?.buffer).toBe(piece.buffer)
})

test('a size that is too large or negative ends the stream; frames before it count', () => {
  for (const size of [11, -1, 2 ** 31 - 1, -(2 ** 31)]) {
    const head = Buffer.alloc(4)
    head.writeInt32BE(size)
    const stream = Buffer.concat([
      streamOf([Buffer.from('good')]),
      head,
      streamOf([Buffer.from('x')]),
    ])
    for (let cut = 0; cut <= stream.length; cut++) {
      const splitter = new FrameSplitter(10)
      const frames = [stream.subarray(0, cut), stream.subarray(cut)].flatMap((piece) => {
        return splitter.push(piece)
      })
      expect(frames).toEqual([Buffer.from('good')])
      expect(splitter.failure).toMatchObject({ sizeBytes: size, limitBytes: 10 })
      expect(splitter.push(streamOf([Buffer.from('y')]))).toEqual([])
    }
  }
})

test('what is accepted can grow, as after authentication', () => {
  const splitter = new FrameSplitter(4)
  expect(splitter.push(streamOf([Buffer.from('four')])).length).toBe(1)
  splitter.maxFrameBytes = 5
  expect(splitter.push(streamOf([Buffer.from('five!')])).length).toBe(1)
  expect(splitter.failure).toBe(null)
})

test('memory is asked for as a frame comes, not as it is announced', () => {
  const splitter = new FrameSplitter(100 * megabyte)
  const head = Buffer.alloc(4)
  head.writeInt32BE(100 * megabyte)
  splitter.push(head)
  expect(splitter.heldBytes).toBe(0)
  for (let sent = 1; sent <= 100; sent++) {
    splitter.push(Buffer.from('x'))
    expect(splitter.heldBytes).toBeLessThanOrEqual(4096)
  }
  splitter.push(Buffer.alloc(64 * 1024))
  splitter.push(Buffer.alloc(1))
  expect(splitter.heldBytes).toBeLessThan(17 * 64 * 1024)
})

test('a frame that is put together has its memory to itself, and no more than it needs', () => {
  const frame = Buffer.alloc(megabyte, 7)
  const stream = streamOf([frame])
  const splitter = new FrameSplitter(megabyte)
  const found: Buffer[] = []
  for (let at = 0; at < stream.length; at += 65_536) {
    found.push(...splitter.push(stream.subarray(at, at + 65_536)))
  }
  expect(found[0]?.equals(frame)).toBe(true)
  expect(found[0]?.buffer.byteLength).toBe(megabyte)
})

function streamOf(frames: readonly Buffer[]): Buffer {
  const parts = frames.flatMap((frame) => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(frame.length)
    return [head, frame]
  })
  return Buffer.concat(parts)
}

/** Where each frame ends in its stream. */
function endsOf(frames: readonly Buffer[]): readonly number[] {
  let end = 0
  return frames.map((frame) => {
    end += 4 + frame.length
    return end
  })
}

test('a frame that has begun can be completed where it lies, in memory that is used again', () => {
  const given: Buffer[] = []
  const memory = {
    take: (sizeBytes: number) => Buffer.alloc(sizeBytes + 100),
    giveBack: (frame: Buffer) => void given.push(frame),
  }
  const splitter = new FrameSplitter(megabyte, memory)
  splitter.isPieceReused = true
  const piece = Buffer.from('00000003616263' + '0000000a' + '3031', 'hex')
  const [first] = splitter.push(piece)
  piece.fill(0)
  expect(first?.toString()).toBe('abc')
  const { room } = splitter
  expect(room).toHaveLength(8)
  room?.write('23456789')
  expect(splitter.filled(5)).toEqual([])
  expect(splitter.room).toHaveLength(3)
  expect(splitter.filled(3).map(String)).toEqual(['0123456789'])
  expect(splitter.room).toBeNull()
  splitter.push(Buffer.from('0000000a3031', 'hex'))
  splitter.abandon()
  expect(given.length).toBeGreaterThan(0)
})

test('there is always room for a frame that has begun, wherever it was cut', () => {
  const frame = Buffer.alloc(70_000, 7)
  const stream = Buffer.concat([Buffer.from([0, 1, 0x11, 0x70]), frame])
  for (const cut of [5, 4099, 4100, 4101, 6000, 8196, 16_388, 32_772, 65_540, 70_003]) {
    const splitter = new FrameSplitter(megabyte)
    splitter.isPieceReused = true
    expect(splitter.push(stream.subarray(0, cut))).toEqual([])
    let at = cut
    let frames: readonly Buffer[] = []
    while (frames.length === 0) {
      const { room } = splitter
      expect(room?.length).toBeGreaterThan(0)
      const count = stream.copy(room ?? Buffer.alloc(0), 0, at)
      at += count
      frames = splitter.filled(count)
    }
    expect(frames[0]?.equals(frame)).toBe(true)
  }
})
