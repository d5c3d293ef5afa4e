import { Random } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  CorruptRepositoryError,
  MissingObjectError,
  TargetError,
} from '../../src/base/backup-errors.ts'
import { epochsPrefix } from '../../src/keys/key-ring.ts'
import { recipientsPrefix } from '../../src/keys/recipient.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { Repository } from '../../src/repository/repository.ts'
import type { Target } from '../../src/target/target.ts'
import { findingOf } from '../../src/verify/finding.ts'
import { checkKeys } from '../../src/verify/key-check.ts'
import { NeededObjects } from '../../src/verify/needed-objects.ts'
import {
  type VerifyRepositoryOptions,
  verifyRepository,
} from '../../src/verify/verify-repository.ts'
import { Scene } from '../restoring/scene.ts'
import { appendCounted } from '../restoring/source-topics.ts'

let scene: Scene

beforeEach(async () => {
  scene = await Scene.make()
  await using source = await scene.openSource()
  const orders = await source.createLog('orders', 0)
  await appendCounted(orders, new Random(1), 23)
  await appendCounted(await source.createLog('users', 0), new Random(2), 9)
  await scene.backUp(source)
  await appendCounted(orders, new Random(3), 8)
  await scene.backUp(source)
})

function verify(options: VerifyRepositoryOptions = {}, repository = scene.repository) {
  const { clock } = scene
  return verifyRepository(repository, { decoder: inlineDecoder(), clock, threads: 1, ...options })
}

/** The object of the first segment of orders. */
async function firstObject(): Promise<string> {
  const { manifest } = await scene.latest()
  const needed = new NeededObjects()
  const catalogue = new BackupCatalogue(scene.repository)
  for (const stored of manifest.partitions) {
    needed.add(manifest, String(stored.partition), await catalogue.partitionList(manifest, stored))
  }
  const found = needed
    .all()
    .find((object) =>
      object.uses().some(({ records }) => records.topic === 'orders' && records.from === 0),
    )
  return found?.key ?? ''
}

describe('verifying', () => {
  test('reads each object once, whoever needs it', async () => {
    const { findings, sound, ...counts } = await verify()
    expect(findings).toEqual([])
    expect(sound).toHaveLength(2)
    const objects: string[] = []
    for await (const { key } of scene.repository.target.list('objects/')) objects.push(key)
    // Lists are objects too: of orders twice, of users once.
    expect(counts).toMatchObject({ backups: 2, readObjects: objects.length - 3, seenObjects: 0 })
  })

  test('names a lost object for every backup that needs it, with its records', async () => {
    const key = await firstObject()
    await scene.repository.target.remove(key)
    const { findings, sound } = await verify()
    const records = { topic: 'orders', partition: 0, from: 0, to: 5 }
    expect(findings).toMatchObject([
      { code: 'missing', key, records },
      { code: 'missing', key, records },
    ])
    expect(new Set(findings.map(({ backupId }) => backupId)).size).toBe(2)
    expect(sound).toEqual([])
  })

  test('of a sample reads some, and looks whether the others are there', async () => {
    const { readObjects, seenObjects } = await verify({ fraction: 0.5, random: () => 0.6 })
    expect([readObjects, seenObjects > 5]).toEqual([0, true])
    await scene.repository.target.remove(await firstObject())
    const { findings } = await verify({ fraction: 0, random: () => 0.9 })
    expect(findings.map(({ code }) => code)).toEqual(['missing', 'missing'])
  })

  test('of what is new reads what no backup before has, and looks for the rest', async () => {
    const { manifest } = await scene.latest()
    const all = await verify()
    const some = await verify({ newSinceMs: manifest.takenMs })
    expect(some.readObjects).toBeGreaterThan(0)
    expect(some.readObjects).toBeLessThan(all.readObjects)
    expect(some.readObjects + some.seenObjects).toBe(all.readObjects)
    await scene.repository.target.remove(await firstObject())
    const { findings } = await verify({ newSinceMs: manifest.takenMs + 1 })
    expect(findings.map(({ code }) => code)).toEqual(['missing', 'missing'])
  })

  test('of chosen backups looks at no others', async () => {
    const [first] = await new BackupCatalogue(scene.repository).list()
    if (first === undefined) throw new Error('there are two')
    const { sound, backups } = await verify({ backups: [first] })
    expect([backups, sound]).toEqual([1, [first.backupId]])
    const gone = { ...first, backupId: first.backupId.replace(/.{8}$/, '00000000') }
    const { findings } = await verify({ backups: [gone] })
    expect(findings).toMatchObject([{ code: 'missing', backupId: gone.backupId, records: null }])
  })

  test('finds a manifest that was put in the place of another', async () => {
    const [first, second] = await new BackupCatalogue(scene.repository).list()
    if (first === undefined || second === undefined) throw new Error('there are two')
    const catalogue = new BackupCatalogue(scene.repository)
    const { manifest } = await catalogue.read(first)
    const references = (await catalogue.references(first)) ?? new Map()
    const { target } = scene.repository
    const key = `manifests/${first.sourceId}/0000000001-${first.backupId}`
    await target.remove(key)
    await catalogue.publish(first, { ...manifest, tags: ['another'] }, references)
    const { findings } = await verify()
    expect(findings).toMatchObject([{ code: 'history', key, backupId: first.backupId }])
  })

  test('names references that are lost, damaged or not those of the backup', async () => {
    const { target } = scene.repository
    const keys: string[] = []
    for await (const { key } of target.list('references/')) keys.push(key)
    const [first = '', second = ''] = keys
    const ofSecond = (await target.get(second)) ?? Buffer.alloc(0)
    await target.put(first, ofSecond, { mode: 'replace' })
    await target.remove(second)
    const { findings } = await verify()
    expect(findings.map(({ code, key }) => [code, key])).toEqual([
      ['damaged', first],
      ['missing', second],
    ])
  })

  test('goes on where the storage has lost one file, and not where it cannot be asked', async () => {
    const key = await firstObject()
    const failing = (code: string): Promise<Repository> => {
      const cause = Object.assign(new Error(code), { code })
      const target: Target = Object.create(scene.repository.target, {
        get: {
          value: (asked: string) =>
            asked === key
              ? Promise.reject(new TargetError('reading', cause))
              : scene.repository.target.get(asked),
        },
        list: { value: (prefix: string) => scene.repository.target.list(prefix) },
        stat: { value: (asked: string) => scene.repository.target.stat(asked) },
      })
      return Repository.open(target)
    }
    const { findings } = await verify({}, await failing('EIO'))
    expect(findings).toMatchObject([
      { code: 'damaged', key },
      { code: 'damaged', key },
    ])
    await expect(verify({}, await failing('ETIMEDOUT'))).rejects.toThrow(TargetError)
  })

  test('stops when its caller says so', async () => {
    const signal = AbortSignal.abort(new Error('no time'))
    await expect(verify({ signal })).rejects.toThrow('no time')
  })
})

describe('keys', () => {
  beforeEach(async () => {
    scene = await Scene.make({
      encryption: { passphrase: 'correct horse', scryptN: 1024, rsaBits: 2048 },
    })
    await using source = await scene.openSource()
    await (await source.createLog('orders', 0)).append({ value: 'v' })
    await scene.backUp(source)
  })

  async function filesIn(prefix: string): Promise<readonly string[]> {
    const keys: string[] = []
    for await (const { key } of scene.repository.target.list(prefix)) keys.push(key)
    return keys
  }

  test('that are sound give no finding', async () => {
    expect(await checkKeys(scene.repository)).toEqual([])
  })

  test('that were changed, cut or put there by strangers are named', async () => {
    const { target } = scene.repository
    const [recipient = ''] = await filesIn(recipientsPrefix)
    const [epoch = ''] = await filesIn(epochsPrefix)
    await target.put(epoch, Buffer.alloc(100), { mode: 'replace' })
    expect(await checkKeys(scene.repository)).toMatchObject([{ code: 'damaged', key: epoch }])
    const stranger = await Scene.make({
      encryption: { passphrase: 'another horse', scryptN: 1024, rsaBits: 2048 },
    })
    const crept: string[] = []
    for await (const { key } of stranger.repository.target.list(recipientsPrefix)) {
      await target.put(key, (await stranger.repository.target.get(key)) ?? Buffer.alloc(0))
      crept.push(key)
    }
    const bytes = (await target.get(recipient)) ?? Buffer.alloc(0)
    await target.put(recipient, bytes.subarray(0, -9), { mode: 'replace' })
    const found = (await checkKeys(scene.repository)).map(({ key }) => key)
    expect(found.sort()).toEqual([...crept, recipient].sort())
  })

  test('that this process remembers are read again', async () => {
    const reader = await scene.after(scene.fs, { passphrase: 'correct horse' })
    expect((await verify({}, reader.repository)).findings).toEqual([])
    const [epoch = ''] = await filesIn(epochsPrefix)
    await scene.repository.target.remove(epoch)
    const { findings } = await verify({}, reader.repository)
    expect(findings.map(({ code, key }) => [code, key])).toContainEqual(['missing', epoch])
  })
})

describe('errors as findings', () => {
  test('say which file is at fault, and what is nobody’s fault is thrown', () => {
    const about = ['objects/asked', 'b', null] as const
    expect(findingOf(new MissingObjectError('epochs/other'), ...about).key).toBe('epochs/other')
    const inside = new CorruptRepositoryError('the list of t-0', 'wrong')
    expect(findingOf(inside, ...about)).toMatchObject({ code: 'damaged', key: 'objects/asked' })
    const fault = new TypeError('ours')
    expect(() => findingOf(fault, ...about)).toThrow(fault)
  })
})
