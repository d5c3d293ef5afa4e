/** Text-like bytes: compressible, not trivially so, the same every time. */
export function sampleText(size: number): Buffer {
  const words = ['order', 'paid', 'open', 'customer', 'amount', 'settled', 'ledger', 'refund']
  const parts: string[] = []
  let state = 12345
  let length = 0
  while (length < size) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const word = `${words[(state >>> 16) & 7]}-${(state >>> 8) & 0xff} `
    parts.push(word)
    length += word.length
  }
  return Buffer.from(parts.join('').slice(0, size))
}

/** Bytes that no codec makes smaller, the same every time. */
export function sampleNoise(size: number): Buffer {
  const bytes = Buffer.alloc(size)
  let state = 2463534242
  for (let index = 0; index < size; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state & 0xff
  }
  return bytes
}
