import { SimulatedFileSystem } from '@varve/log/testing'
import { crc32c } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CatalogueFullError, CorruptCatalogueError } from '../../src/base/broker-errors.ts'
import {
  type Catalogue,
  catalogueFileName,
  decodeCatalogue,
  encodeCatalogue,
  readCatalogue,
  writeCatalogue,
} from '../../src/topics/catalogue-file.ts'
import { checkProperty } from '../property.ts'

const topic = {
  name: 'orders',
  topicId: 'AAAAAAAAAAAAAAAAAAAABw',
  partitions: 3,
  made: 2,
  isDeleting: false,
  settings: { retentionMs: 5, cleanupPolicy: ['compact' as const] },
}
const catalogue: Catalogue = { nextProducerId: 1000, topics: [topic] }

/** A catalogue file with this text, right by its checksum. */
function withText(text: string): Buffer {
  const bytes = Buffer.alloc(16 + Buffer.byteLength(text))
  bytes.write('VCAT', 0, 'latin1')
  bytes.writeInt32BE(1, 4)
  bytes.writeUInt32BE(Buffer.byteLength(text), 8)
  bytes.write(text, 12)
  bytes.writeUInt32BE(crc32c(bytes.subarray(0, -4)), bytes.length - 4)
  return bytes
}

describe('the catalogue of topics', () => {
  test('comes back as it was written, and is as documented', () => {
    const bytes = encodeCatalogue(catalogue)
    expect(decodeCatalogue(bytes, 'f')).toEqual(catalogue)
    expect(bytes).toEqual(withText(JSON.stringify(catalogue)))
  })

  test('is replaced whole in its directory, and null where there is none', async () => {
    const fs = new SimulatedFileSystem()
    fs.makeDirectories('/data')
    expect(readCatalogue(fs, '/data')).toBeNull()
    await writeCatalogue(fs, '/data', catalogue)
    await writeCatalogue(fs, '/data', { nextProducerId: 7, topics: [] })
    expect(readCatalogue(fs, '/data')).toEqual({ nextProducerId: 7, topics: [] })
    expect(fs.list('/data')).toEqual([catalogueFileName])
  })

  test('is refused when any bit of it has flipped, or it was cut', () => {
    const bytes = encodeCatalogue(catalogue)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decodeCatalogue(damaged, 'f')).toThrow(CorruptCatalogueError)
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeCatalogue(bytes.subarray(0, length), 'f')).toThrow(CorruptCatalogueError)
    }
  })

  test.each([
    ['', 'JSON'],
    ['[]', 'nextProducerId'],
    ['null', 'the catalogue'],
    [JSON.stringify({ nextProducerId: -1, topics: [] }), 'nextProducerId'],
    [JSON.stringify({ nextProducerId: 0, topics: {} }), 'topics'],
    [JSON.stringify({ nextProducerId: 0, topics: [null] }), 'a topic'],
    ...(
      [
        ['name', '../x'],
        ['topicId', 'short'],
        ['partitions', 0],
        ['partitions', 2 ** 31],
        ['made', 4],
        ['isDeleting', 0],
        ['settings', null],
        ['settings', { retentionMs: 'long' }],
        ['settings', { unheard: 1 }],
      ] as const
    ).map(([name, value]) => {
      return [
        JSON.stringify({ nextProducerId: 0, topics: [{ ...topic, [name]: value }] }),
        'corrupt catalogue',
      ]
    }),
  ])('is refused when it says what nobody could have written: %s', (text, reason) => {
    const decode = () => decodeCatalogue(withText(text ?? ''), 'f')
    expect(decode).toThrow(CorruptCatalogueError)
    expect(decode).toThrow(reason)
  })

  test('that could not be read again is not written', async () => {
    const fs = new SimulatedFileSystem()
    fs.makeDirectory('/data')
    await writeCatalogue(fs, '/data', catalogue)
    const many = Array.from({ length: 120_000 }, (_, index) => {
      return { ...topic, name: `${'x'.repeat(200)}${index}` }
    })
    const writing = writeCatalogue(fs, '/data', { nextProducerId: 0, topics: many })
    await expect(writing).rejects.toThrow(CatalogueFullError)
    expect(readCatalogue(fs, '/data')).toEqual(catalogue)
  })

  test('of random text is refused with that error, and no other', async () => {
    await checkProperty(fc.oneof(fc.json(), fc.string()), 300, (text) => {
      expect(() => decodeCatalogue(withText(text), 'f')).toThrow(CorruptCatalogueError)
    })
  })
})
