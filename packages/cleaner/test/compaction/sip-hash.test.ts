import { expect, test } from 'vitest'
import { SipHash } from '../../src/compaction/sip-hash.ts'

/** Of the reference implementation: key 00 01 … 0f, message 00 01 … (length - 1). */
const vectors: ReadonlyArray<readonly [number, string]> = [
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [1, 'da87c1d86b99af44347659119b22fc45'],
  [2, '8177228da4a45dc7fca38bdef60affe4'],
  [7, 'a1f1ebbed8dbc153c0b84aa61ff08239'],
  [8, '3b62a9ba6258f5610f83e264f31497b4'],
  [15, '5493e99933b0a8117e08ec0f97cfc3d9'],
]

test.each(vectors)('a message of %i bytes has the hash of the reference', (length, expected) => {
  const hash = new SipHash(Uint8Array.from({ length: 16 }, (_, index) => index))
  hash.hash(Uint8Array.from({ length }, (_, index) => index))
  expect(Buffer.from(hash.words.buffer).toString('hex')).toBe(expected)
})

test('every byte of message and key matters', () => {
  const seen = new Set<string>()
  for (let changed = 0; changed < 40; changed++) {
    const key = new Uint8Array(16)
    const message = new Uint8Array(23)
    if (changed < 16) key[changed] = 1
    else if (changed < 39) message[changed - 16] = 1
    const hash = new SipHash(key)
    hash.hash(message)
    seen.add(Buffer.from(hash.words.buffer).toString('hex'))
  }
  expect(seen.size).toBe(40)
})
