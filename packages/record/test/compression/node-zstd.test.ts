import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { nodeZstd } from '../../src/compression/node-zstd.ts'

test("the runtime's zstd is used exactly where there is one", () => {
  expect(nodeZstd !== null).toBe('zstdDecompressSync' in zlib)
})
