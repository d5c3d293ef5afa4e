import { randomBytes } from 'node:crypto'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import { VarveError } from '@varve/record'
import { expect, test } from 'vitest'
import { CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import { JsonShape } from '../../src/format/json-shape.ts'
import { decodeManifest, encodeManifest, type Manifest } from '../../src/format/manifest.ts'
import {
  decodePartitionList,
  encodePartitionList,
  type PartitionList,
} from '../../src/format/partition-list.ts'
import { decodeReferences, encodeReferences } from '../../src/format/reference-list.ts'
import { decodeRepositoryFile, encodeRepositoryFile } from '../../src/format/repository-file.ts'

const backupId = '20260101T000000.000Z-0a1b2c3d'

const manifest: Manifest = {
  ...{ backupId, kind: 'incremental', base: null, sequence: 3, previous: randomBytes(32) },
  ...{ source: '/data', startedMs: 1, takenMs: 2.5, finishedMs: 3, point: 'before', tags: ['a'] },
  sets: ['main', backupId],
  files: [{ name: 'varve-catalogue', bytes: randomBytes(20) }],
  partitions: [
    {
      ...{ topic: 'orders', partition: 0, topicId: null, logStartOffset: 5, endOffset: 9 },
      ...{ sizeBytes: 100, segmentCount: 1, list: randomBytes(32), set: 1 },
    },
  ],
  gaps: [{ topic: 'orders', partition: 0, from: 5, to: 7, reason: 'damage' }],
  figures: {
    ...{ readBytes: 1, newObjects: 2, newBytes: 3, totalBytes: 4, recordBatches: 5 },
    durationMs: 6.5,
  },
}

const list: PartitionList = {
  topic: 'orders',
  partition: 0,
  segments: [
    {
      ...{ baseOffset: 5, nextOffset: 9, sizeBytes: 100, maxTimestamp: -1, isSealed: true },
      ...{ fileId: 77, modifiedMs: 12.25, set: 0, damage: { position: 3, reason: 'rot' } },
      extents: [
        { id: randomBytes(32), sizeBytes: 60 },
        { id: randomBytes(32), sizeBytes: 40 },
      ],
    },
  ],
  files: [{ name: 'partition.metadata', bytes: Buffer.from('version: 0\n') }],
}

test('manifests and partition lists are read as they were written', () => {
  expect(decodeManifest(encodeManifest(manifest), 'm')).toEqual(manifest)
  expect(decodePartitionList(encodePartitionList(list), 'l')).toEqual(list)
})

test('what leads out of a directory, or out of the manifest, is refused', () => {
  const refused = (text: string, from: string, to: string): void => {
    expect(text).toContain(from)
    expect(() => decodeManifest(Buffer.from(text.replace(from, to)), 'm')).toThrow(
      CorruptRepositoryError,
    )
  }
  const text = encodeManifest(manifest).toString()
  refused(text, '"topic":"orders"', '"topic":"../orders"')
  refused(text, '"topic":"orders"', '"topic":".."')
  refused(text, '"name":"varve-catalogue"', '"name":"../../etc/passwd"')
  refused(text, '"sets":["main"', '"sets":["../main"')
  refused(text, '"set":1', '"set":2')
  refused(text, '"format":1', '"format":2')
  refused(text, '"format":1', '"format":0')
  refused(text, '"endOffset":9', '"endOffset":1e300')
  const segments = encodePartitionList(list).toString()
  expect(() => decodePartitionList(Buffer.from(segments.replace(',60]', ',61]')), 'l')).toThrow(
    'is not the sum of its extents',
  )
})

test('JSON of others ends in a typed error, whatever it is', () => {
  const random = new Random(seedFromEnvironment('hostile manifests'))
  const texts = [encodeManifest(manifest), encodePartitionList(list)]
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(random.pick(texts))
    for (let change = random.between(1, 4); change > 0; change--) {
      const piece = Buffer.from(
        random.pick(['null', '{}', '[]', '"', '-1', '\xff', ',', '__proto__']),
      )
      piece.copy(bytes, random.int(bytes.length))
    }
    for (const decode of [decodeManifest, decodePartitionList]) {
      try {
        decode(bytes, 'x')
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptRepositoryError)
      }
    }
  }
})

test('references are read as they were written, and show every bit that was flipped', () => {
  const ids = (count: number): Set<string> =>
    new Set(Array.from({ length: count }, () => randomBytes(32).toString('hex')))
  const references = new Map([
    ['main', ids(5)],
    [backupId, ids(0)],
  ])
  const bytes = encodeReferences(references)
  expect(decodeReferences(bytes, 'r')).toEqual(references)
  everyFlip(bytes, (flipped) => decodeReferences(flipped, 'r'))
  for (let size = 0; size < bytes.length; size++) {
    expect(() => decodeReferences(bytes.subarray(0, size), 'r')).toThrow(CorruptRepositoryError)
  }
})

test('repository.json shows every bit that was flipped', () => {
  const file = { repositoryId: randomBytes(16), createdMs: 5, objectBytes: 4096, isEncrypted: true }
  const bytes = encodeRepositoryFile(file)
  expect(decodeRepositoryFile(bytes)).toEqual(file)
  everyFlip(bytes, decodeRepositoryFile)
})

test('a shape says where in the file what is wrong', () => {
  const shape = JsonShape.parse(Buffer.from('{"a":[{"b":-1}]}'), 'file')
  expect(() => shape.get('a').list((item) => item.get('b').count())).toThrow('.a[0].b is not')
  expect(() => shape.get('toString').text()).toThrow('.toString is not')
})

function everyFlip(bytes: Buffer, decode: (flipped: Buffer) => unknown): void {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => decode(flipped), `bit ${bit}`).toThrow(VarveError)
  }
}
