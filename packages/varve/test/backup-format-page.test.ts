import { execFileSync } from 'node:child_process'
import { createPublicKey, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { DirectoryTarget, openDataDirectory, Repository } from '../src/index.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/backup-format.md'), 'utf8')

test('openssl and the page on the format alone decrypt a segment', async () => {
  using temporary = makeTemporaryDirectory()
  const options = { cwd: temporary.path, timeout: 30_000, stdio: 'pipe' as const }
  const bits = ['-pkeyopt', 'rsa_keygen_bits:2048']
  execFileSync('openssl', ['genpkey', '-algorithm', 'RSA', ...bits, '-out', 'private.pem'], options)
  const pem = readFileSync(join(temporary.path, 'private.pem'))
  const target = new DirectoryTarget(join(temporary.path, 'repository'))
  const encryption = { publicKeys: [createPublicKey(pem)] }
  await using repository = await Repository.create(target, { encryption })
  const data = join(temporary.path, 'data')
  {
    await using varve = await openDataDirectory(data, { cleaning: false })
    await varve.createTopic('secrets')
    // Random, so that it is not compressed: what zstd does is not in question.
    await varve.producer().send('secrets', { value: randomBytes(100_000) })
    await varve.backup(repository, { threads: 1 })
  }
  const objects = join(temporary.path, 'repository/objects/main')
  const [object = ''] = readdirSync(objects, { recursive: true, encoding: 'utf8' })
    .map((name) => join(objects, name))
    .filter((path) => statSync(path).size > 100_000)
  const [, script = ''] = /```sh\n(hex\(\).*?)```/s.exec(page) ?? []
  const env = { ...process.env, OBJECT: object, REPO: 'repository' }
  execFileSync('sh', ['-eu', '-c', script], { ...options, env })
  const content = readFileSync(join(temporary.path, 'content'))
  expect(content.equals(readFileSync(join(data, 'secrets-0/00000000000000000000.log')))).toBe(true)
})
