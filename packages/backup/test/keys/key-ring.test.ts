import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { ManualClock } from '@varve/log/testing'
import type { VarveError } from '@varve/record'
import { expect, test } from 'vitest'
import { BackupKeyError, CorruptRepositoryError } from '../../src/base/backup-errors.ts'
import { decodeKeyFile, encodeKeyFile } from '../../src/keys/key-file.ts'
import { epochsPrefix } from '../../src/keys/key-ring.ts'
import { seal, unseal } from '../../src/keys/passphrase.ts'
import {
  decodeRecipient,
  encodeRecipient,
  makeRecipient,
  recipientKey,
} from '../../src/keys/recipient.ts'
import { Repository } from '../../src/repository/repository.ts'
import { cheapPassphrase, keysOf } from '../backup-fixture.ts'
import { MemoryTarget } from '../memory-target.ts'

const { passphrase } = cheapPassphrase
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const content = Buffer.from('the content of an object')

function newTarget(): MemoryTarget {
  return new MemoryTarget(new ManualClock())
}

async function withObject(encryption: object = cheapPassphrase) {
  const target = newTarget()
  const repository = await Repository.create(target, { encryption })
  const { id } = await repository.putObject('data', 'main', content)
  return { target, repository, id }
}

test('a passphrase opens what it locked, and nothing else does', async () => {
  const { target, id } = await withObject()
  const opened = await Repository.open(target, { passphrase })
  expect(await opened.getObject('data', 'main', id)).toEqual(content)
  for (const wrong of ['correct horsf', 'correct horse ', 'Correct horse', '']) {
    await expect(Repository.open(target, { passphrase: wrong })).rejects.toThrow(BackupKeyError)
  }
  await expect(Repository.open(target)).rejects.toThrow(BackupKeyError)
})

test('a passphrase may be written in either form of Unicode', async () => {
  const sealed = await seal(content, 'Zürich Straße'.normalize('NFD'), 1024)
  expect(await unseal(sealed, 'Zürich Straße'.normalize('NFC'))).toEqual(content)
  await expect(seal(content, 'short', 1024)).rejects.toThrow(BackupKeyError)
})

test('scrypt costs beyond reason are refused, not paid', async () => {
  const sealed = await seal(content, passphrase, 1024)
  await expect(unseal({ ...sealed, n: 2 ** 22, r: 64 }, passphrase)).rejects.toThrow(BackupKeyError)
  await expect(unseal({ ...sealed, n: 1000 }, passphrase)).rejects.toThrow(BackupKeyError)
})

test('whoever made a repository for others can write to it and not read what was there', async () => {
  const { target, repository, id } = await withObject({ publicKeys: [publicKey] })
  // What it wrote itself it still has the key to; another process has not.
  const idKey = repository.keys.naming.idKey
  const { repositoryId } = repository.file
  const bytes = encodeKeyFile({ role: 'writer', repositoryId, idKey, privateKey: null })
  const writer = await Repository.open(target, { keyFile: decodeKeyFile(bytes) })
  expect(writer.keys.canRead).toBe(false)
  await expect(writer.getObject('data', 'main', id)).rejects.toThrow('not read them')
  const { id: second } = await writer.putObject('data', 'main', Buffer.from('by the writer'))
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const reader = await Repository.open(target, { keyFile: decodeKeyFile(Buffer.from(pem)) })
  expect(String(await reader.getObject('data', 'main', second))).toBe('by the writer')
  expect(await reader.getObject('data', 'main', id)).toEqual(content)
})

test('a key file for readers is read as it was written', async () => {
  const { target, repository, id } = await withObject({ publicKeys: [publicKey] })
  const { repositoryId } = repository.file
  const idKey = repository.keys.naming.idKey
  const bytes = encodeKeyFile({ role: 'reader', repositoryId, idKey, privateKey })
  const reader = await Repository.open(target, { keyFile: decodeKeyFile(bytes) })
  expect(await reader.getObject('data', 'main', id)).toEqual(content)
})

test('a key file shows every bit that was flipped, and what is none is refused', () => {
  const file = { role: 'writer', repositoryId: randomBytes(16), idKey: randomBytes(32) } as const
  const bytes = encodeKeyFile({ ...file, privateKey: null })
  everyFlip(bytes, decodeKeyFile, BackupKeyError)
  for (const text of ['', '{}', 'null', '[]', '-----BEGIN PRIVATE KEY-----', '{"format":1}']) {
    expect(() => decodeKeyFile(Buffer.from(text)), text).toThrow(BackupKeyError)
  }
})

test('another recipient’s key and another repository’s key open nothing', async () => {
  const { target } = await withObject({ publicKeys: [publicKey] })
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keyFile = { role: 'reader', repositoryId: null, idKey: null } as const
  const wrong = { keyFile: { ...keyFile, privateKey: other.privateKey } }
  await expect(Repository.open(target, wrong)).rejects.toThrow('not one of the recipients')
  const elsewhere = { keyFile: { ...keyFile, repositoryId: randomBytes(16), privateKey } }
  await expect(Repository.open(target, elsewhere)).rejects.toThrow('another repository')
})

test('nothing is encrypted to a recipient whom nobody let in', async () => {
  const { target } = await withObject()
  const stranger = makeRecipient(publicKey, randomBytes(32), null, 0)
  await target.put(recipientKey(stranger.id), encodeRecipient(stranger))
  const writer = await Repository.open(target, { passphrase })
  const writing = writer.putObject('data', 'main', Buffer.from('secret'))
  await expect(writing).rejects.toThrow('without a key to the repository')
})

test('a recipient needs a key of RSA, and a long one', () => {
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const curve = generateKeyPairSync('ed25519').publicKey
  for (const key of [small, curve]) {
    expect(() => makeRecipient(key, randomBytes(32), null, 0)).toThrow(BackupKeyError)
  }
})

test('the file of a recipient shows every bit that was flipped', async () => {
  const locked = await seal(randomBytes(40), passphrase, 1024)
  const recipient = makeRecipient(publicKey, randomBytes(32), locked, 5)
  const bytes = encodeRecipient(recipient)
  expect(encodeRecipient(decodeRecipient(bytes, 'k'))).toEqual(bytes)
  everyFlip(bytes, (flipped) => decodeRecipient(flipped, 'k'), CorruptRepositoryError)
})

test('the key of an epoch shows every bit that was flipped', async () => {
  const { target, id } = await withObject()
  const [key = ''] = await keysOf(target, epochsPrefix)
  const bytes = (await target.get(key)) ?? Buffer.alloc(0)
  for (let bit = 0; bit < 8 * bytes.length; bit += 7) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await target.put(key, flipped, { mode: 'replace' })
    const opened = await Repository.open(target, { passphrase })
    await expect(opened.getObject('data', 'main', id)).rejects.toThrow(CorruptRepositoryError)
  }
})

test('several who write at once in one process share one epoch', async () => {
  const target = newTarget()
  const repository = await Repository.create(target, { encryption: cheapPassphrase })
  const contents = Array.from({ length: 8 }, (_, index) => Buffer.from(`content ${index}`))
  await Promise.all(contents.map((each) => repository.putObject('data', 'main', each)))
  expect((await keysOf(target, epochsPrefix)).length).toBe(1)
})

test('a key for what is not encrypted is refused, and encryption without a key', async () => {
  const target = newTarget()
  await Repository.create(target)
  await expect(Repository.open(target, { passphrase })).rejects.toThrow('is not encrypted')
  await expect(Repository.create(newTarget(), { encryption: {} })).rejects.toThrow(BackupKeyError)
  await expect(Repository.create(target)).rejects.toMatchObject({
    code: 'VARVE_REPOSITORY_EXISTS',
  })
  await expect(Repository.open(newTarget())).rejects.toMatchObject({
    code: 'VARVE_REPOSITORY_NOT_FOUND',
  })
})

function everyFlip(
  bytes: Buffer,
  decode: (flipped: Buffer) => unknown,
  type: new (...args: never[]) => VarveError,
): void {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = Buffer.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(() => decode(flipped), `bit ${bit}`).toThrow(type)
  }
}
