import { randomBytes } from 'node:crypto'
import { Random, seedFromEnvironment } from '@varve/log/testing'
import { crc32c, VarveError } from '@varve/record'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BackupKeyError, CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import { decodeObject, encodeObject, readObjectHeader } from '../../src/format/object-file.ts'
import { ObjectNaming } from '../../src/format/object-id.ts'
import { checkProperty } from '../property.ts'

const repositoryId = randomBytes(16)
const epoch = { id: randomBytes(16), key: randomBytes(32) }
const plain = { naming: new ObjectNaming(null), epoch: null }
const secret = { naming: new ObjectNaming(randomBytes(32)), epoch }

function encoded(content: Buffer, { naming, epoch }: typeof plain | typeof secret): Buffer {
  return encodeObject(content, naming, { kind: 'data', compresses: true, epoch, repositoryId })
}

function decoded(
  bytes: Buffer,
  { naming, epoch }: typeof plain | typeof secret,
  changes: Partial<Parameters<typeof decodeObject>[2]> = {},
): Buffer {
  return decodeObject(bytes, naming, {
    ...{ kind: 'data', id: null, epochKey: epoch?.key ?? null, repositoryId },
    ...{ contentBytesMax: 2 ** 20, key: 'objects/x', ...changes },
  })
}

describe.each([
  ['plain', plain],
  ['encrypted', secret],
] as const)('an object, %s', (_, way) => {
  test('gives back what it was made of, compressed or not', async () => {
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 5000 }),
      fc.string({ maxLength: 50 }).map((text) => Buffer.from(text.repeat(200))),
    )
    await checkProperty(contents, 200, (content) => {
      const bytes = encoded(Buffer.from(content), way)
      expect(decoded(bytes, way).equals(Buffer.from(content))).toBe(true)
      const { contentBytes, id } = readObjectHeader(bytes, 'x')
      expect(contentBytes).toBe(content.length)
      expect(decoded(bytes, way, { id }).length).toBe(content.length)
    })
  })

  test('shows every bit that was flipped', () => {
    const bytes = encoded(Buffer.from('some words, some words, some words'), way)
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decoded(flipped, way), `bit ${bit}`).toThrow(CorruptRepositoryError)
    }
  })

  test('shows when it was cut short, or has something behind it', () => {
    const bytes = encoded(randomBytes(300), way)
    for (let size = 0; size < bytes.length; size++) {
      expect(() => decoded(bytes.subarray(0, size), way)).toThrow(CorruptRepositoryError)
    }
    expect(() => decoded(Buffer.concat([bytes, Buffer.alloc(1)]), way)).toThrow(
      CorruptRepositoryError,
    )
  })

  test('is refused as another kind, as another object, and when it is too large', () => {
    const bytes = encoded(Buffer.from('content'), way)
    expect(() => decoded(bytes, way, { kind: 'manifest' })).toThrow('not a manifest')
    expect(() => decoded(bytes, way, { id: randomBytes(32) })).toThrow('another object')
    expect(() => decoded(bytes, way, { contentBytesMax: 6 })).toThrow('too large')
  })
})

test('bytes of others end in a typed error, whatever they are', () => {
  const random = new Random(seedFromEnvironment('hostile objects'))
  for (let round = 0; round < 2000; round++) {
    const way = random.pick([plain, secret])
    const bytes = encoded(random.bytes(random.int(200)), random.pick([plain, secret]))
    for (let change = random.int(6); change > 0; change--) bytes[random.int(bytes.length)] = 0xff
    // A checksum that is right keeps nobody out.
    const fixed = random.bool() ? withChecksum(bytes) : bytes
    try {
      decoded(fixed, way)
    } catch (error) {
      expect(error).toBeInstanceOf(VarveError)
    }
  }
})

test('an encrypted object says nothing to whoever has another key or repository', () => {
  const bytes = encoded(Buffer.from('content'), secret)
  expect(() => decoded(bytes, secret, { epochKey: randomBytes(32) })).toThrow('with its key')
  expect(() => decoded(bytes, secret, { epochKey: null })).toThrow(BackupKeyError)
  expect(() => decoded(bytes, secret, { repositoryId: randomBytes(16) })).toThrow('with its key')
  expect(() => decoded(bytes, plain)).toThrow('it is encrypted')
  expect(() => decoded(encoded(Buffer.from('x'), plain), secret)).toThrow('it is not encrypted')
})

test('whoever has the keys of the epochs and not the id key can make nothing that is believed', () => {
  const stranger = { naming: new ObjectNaming(randomBytes(32)), epoch }
  const made = encoded(Buffer.from('content'), stranger)
  expect(() => decoded(made, secret)).toThrow('its content is not its own')
})

test('a name says which kind it is of', () => {
  const content = Buffer.from('content')
  const ids = (['data', 'partition', 'manifest'] as const).map((kind) =>
    secret.naming.idOf(kind, content).toString('hex'),
  )
  expect(new Set(ids).size).toBe(3)
  expect(plain.naming.idOf('data', content)).toEqual(plain.naming.idOf('manifest', content))
})

function withChecksum(bytes: Buffer): Buffer {
  const fixed = Buffer.from(bytes)
  fixed.writeUInt32BE(crc32c(fixed.subarray(0, -4)), fixed.length - 4)
  return fixed
}
