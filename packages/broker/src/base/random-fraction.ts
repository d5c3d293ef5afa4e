import { randomBytes } from 'node:crypto'

/** 0 to 1: where a program brings no source of chance of its own. */
export const randomFraction = (): number => randomBytes(6).readUIntBE(0, 6) / 2 ** 48
