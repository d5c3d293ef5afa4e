import { randomBytes } from 'node:crypto'

/** 48 random bits as a fraction: 0 to 1. */
export function randomFraction(): number {
  return randomBytes(6).readUIntBE(0, 6) / 2 ** 48
}
