import { VarveError } from '@varve/record'
import { expect, test } from 'vitest'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { metadata } from '../../src/protocol/apis/metadata.ts'
import { apis } from '../../src/protocol/apis.ts'
import { decodeRequest, encodeRequest } from '../../src/protocol/messages.ts'
import { openRequest } from '../../src/protocol/requests.ts'
import { frameOf } from './frame-of.ts'
import { versionsIn } from './message-arbitrary.ts'

const megabyte = 1024 * 1024
const origin = { correlationId: 1, clientId: null }

test('counts and lengths that say anything take no memory to speak of', () => {
  const before = process.memoryUsage().rss
  const fillings = [0x00, 0x01, 0x02, 0x05, 0x7f, 0x80, 0xff]
  for (const api of apis) {
    for (const version of versionsIn(api)) {
      for (const filling of fillings) {
        const frame = Buffer.alloc(4096, filling)
        for (const large of ['', '7fffffff', 'ffffffff07']) {
          frame.write(large, 0, 'hex')
          expectTypedEnd(() => decodeRequest(api, version, frame, 0))
        }
      }
    }
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(96 * megabyte)
})

test('a message of the smallest elements becomes at most some hundred bytes for each', () => {
  // The worst that a frame can do: elements of two and three bytes that become objects.
  const topics = Array.from({ length: 200_000 }, () => ({ name: '' }))
  const frame = frameOf(encodeRequest(metadata, 9, origin, { topics }))
  const { bodyAt } = openRequest(frame)
  const heapBytes = heapOf(() => decodeRequest(metadata, 9, frame, bodyAt))
  expect(heapBytes / topics.length).toBeLessThan(150)

  const partition = { partition: 0, fetchOffset: 2 ** 40, partitionMaxBytes: 1 }
  const partitions = Array.from({ length: 200_000 }, () => partition)
  const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] }
  const fetchFrame = frameOf(
    encodeRequest(fetch, 12, origin, { ...request, forgottenTopicsData: [] }),
  )
  const fetchBodyAt = openRequest(fetchFrame).bodyAt
  const fetchBytes = heapOf(() => decodeRequest(fetch, 12, fetchFrame, fetchBodyAt))
  expect(fetchBytes / partitions.length).toBeLessThan(300)
})

test('more elements than a message may have are refused before any of them is read', () => {
  const frame = Buffer.concat([
    frameOf(encodeRequest(describeGroups, 5, origin, { groups: [] })).subarray(0, -3),
    Buffer.from('80808008', 'hex'),
    Buffer.alloc(40 * megabyte, 1),
  ])
  const { bodyAt } = openRequest(frame)
  const heapBytes = heapOf(() => {
    const read = () => decodeRequest(describeGroups, 5, frame, bodyAt)
    expect(read).toThrow('the message has too many elements')
    return null
  })
  expect(heapBytes).toBeLessThan(4 * megabyte)
})

function expectTypedEnd(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  }
}

/** How much larger the heap is while what `make` returns is alive. */
function heapOf(make: () => unknown): number {
  make()
  const before = process.memoryUsage().heapUsed
  const made = make()
  const grown = process.memoryUsage().heapUsed - before
  // Whatever was made is used after the measurement, so that it is still there during it.
  return typeof made === 'string' ? 0 : grown
}
