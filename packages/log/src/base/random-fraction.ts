import { randomFillSync } from 'node:crypto'

const fractionBytes = 6
/** Drawn ahead: a call for six bytes costs as much as one for a thousand. */
const drawn = Buffer.alloc(fractionBytes * 128)
let position = drawn.length

/** 48 random bits as a fraction: 0 to 1. */
export function randomFraction(): number {
  if (position === drawn.length) {
    randomFillSync(drawn)
    position = 0
  }
  const bits = drawn.readUIntBE(position, fractionBytes)
  position += fractionBytes
  return bits / 2 ** 48
}
