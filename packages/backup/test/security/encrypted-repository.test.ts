import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { makeTemporaryDirectory, Random, seedFromEnvironment } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { objectHeaderBytes } from '../../src/format/object-file.ts'
import { Repository } from '../../src/repository/repository.ts'
import { cheapPassphrase, keysOf, Machine, sourceBytes, storedBytes } from '../backup-fixture.ts'

test('a thousand tokens, topics and keys of the source are nowhere in the repository', async () => {
  const random = new Random(seedFromEnvironment('tokens'))
  const tokenOf = (kind: string): string => `${kind}-${random.bytes(6).toString('hex')}`
  const machine = new Machine()
  await using repository = await machine.create({ encryption: cheapPassphrase })
  await using directory = await machine.openData()
  const tokens: string[] = []
  const token = (kind: string): string => {
    const text = tokenOf(kind)
    tokens.push(text)
    return text
  }
  for (let index = 0; index < 20; index++) {
    const log = await directory.createLog(token('topic'), 0)
    for (let record = 0; record < 17; record++) {
      const headers = [{ key: token('header'), value: token('header') }]
      await log.append({ key: token('key'), value: token('value'), headers }, { acks: 'written' })
    }
  }
  for (const kind of ['full', 'incremental', 'differential'] as const) {
    const names = { source: token('source'), point: token('point'), tags: [token('tag')] }
    await machine.back(repository, directory, { kind, ...names })
  }
  expect(tokens.length).toBeGreaterThan(1000)
  const files: Buffer[] = []
  for (const key of await keysOf(repository.target)) {
    files.push(Buffer.from(key), (await repository.target.get(key)) ?? Buffer.alloc(0))
  }
  const everything = Buffer.concat(files)
  const idKey = repository.keys.naming.idKey ?? Buffer.alloc(0)
  const forms = (text: string): readonly Buffer[] => [
    Buffer.from(text),
    Buffer.from(text.slice(-12)),
    Buffer.from(Buffer.from(text).toString('hex')),
  ]
  for (const text of [...tokens, cheapPassphrase.passphrase, '/data']) {
    for (const form of forms(text)) expect(everything.includes(form), text).toBe(false)
  }
  expect(everything.includes(idKey) || everything.includes(idKey.toString('hex'))).toBe(false)
})

test('whoever can only write learns nothing of what is there, itself in another life included', async () => {
  const machine = new Machine()
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await using made = await machine.create({ encryption: { publicKeys: [publicKey] } })
  await using directory = await machine.openData()
  const log = await directory.createLog('t', 0)
  await log.append({ value: 'secret' })
  await machine.back(made, directory)
  const { repositoryId } = made.file
  const idKey = made.keys.naming.idKey
  const keyFile = { role: 'writer' as const, repositoryId, idKey, privateKey: null }
  await using writer = await Repository.open(machine.target, { keyFile })
  const report = await machine.back(writer, directory)
  expect(report.figures.readBytes).toBe(0)
  await expect(storedBytes(writer)).rejects.toMatchObject({ code: 'VARVE_BACKUP_KEY' })
  const reader = { role: 'reader' as const, repositoryId: null, idKey: null, privateKey }
  await using opened = await Repository.open(machine.target, { keyFile: reader })
  expect((await storedBytes(opened)).get('t-0')?.segments).toEqual(sourceBytes(machine, log))
})

/** Of the command; 0 where there is none. */
function opensslVersion(): number {
  try {
    return Number(/^OpenSSL (\d+)/.exec(String(execFileSync('openssl', ['version'])))?.[1] ?? 0)
  } catch {
    return 0
  }
}

// Its `kdf` command, which makes the key of an object, came with version 3.
test.skipIf(opensslVersion() < 3)(
  'openssl and the format are enough to get a segment back',
  async () => {
    using directory = makeTemporaryDirectory()
    const openssl = (args: readonly string[]): Buffer =>
      execFileSync('openssl', [...args], { cwd: directory.path })
    const put = (name: string, bytes: Uint8Array | string): void =>
      writeFileSync(`${directory.path}/${name}`, bytes)
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const machine = new Machine()
    const encryption = { publicKeys: [publicKey] }
    await using repository = await machine.create({ encryption, objectBytes: 2 ** 20 })
    await using data = await machine.openData()
    const log = await data.createLog('t', 0)
    // It does not compress, so that no other tool is needed.
    const value = new Random(1).bytes(5000)
    await log.append({ key: 'k', value })
    await machine.back(repository, data)
    const [segment = Buffer.alloc(0)] = sourceBytes(machine, log)
    put('private.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }))

    const objects = await Promise.all(
      (await keysOf(repository.target, 'objects/')).map((key) => repository.target.get(key)),
    )
    const object = objects.find((bytes) => bytes?.readUInt8(5) === 0) ?? Buffer.alloc(0)
    expect(object.readUInt8(6), 'not compressed').toBe(0)
    const payloadBytes = object.readUInt32BE(12)
    const epochId = object.toString('hex', 16, 32)
    const objectId = object.toString('hex', 32, 64)
    const nonce = object.toString('hex', 64, 76)
    put('payload', object.subarray(objectHeaderBytes, objectHeaderBytes + payloadBytes))

    const [epochFile = ''] = await keysOf(repository.target, `epochs/${epochId}/`)
    put('wrapped', (await repository.target.get(epochFile)) ?? Buffer.alloc(0))
    const padding = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha256', 'rsa_mgf1_md:sha256']
    const epochKey = openssl([
      ...['pkeyutl', '-decrypt', '-inkey', 'private.pem', '-in', 'wrapped'],
      ...padding.flatMap((option) => ['-pkeyopt', option]),
    ])
    const options = ['digest:SHA256', `hexkey:${epochKey.toString('hex')}`, `hexinfo:${objectId}`]
    const objectKey = openssl([
      ...['kdf', '-keylen', '32', '-binary'],
      ...options.flatMap((option) => ['-kdfopt', option]),
      'HKDF',
    ])
    // What AES-GCM encrypts with is AES-CTR, from the second counter on.
    const content = openssl([
      ...['enc', '-d', '-aes-256-ctr', '-in', 'payload', '-iv', `${nonce}00000002`],
      ...['-K', objectKey.toString('hex')],
    ])
    expect(content.equals(segment)).toBe(true)
  },
)
