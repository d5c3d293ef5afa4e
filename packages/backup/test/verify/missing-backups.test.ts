import { Random } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { pruneBackups } from '../../src/pruning/prune.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { AuditLog } from '../../src/repository/audit-log.ts'
import {
  BackupCatalogue,
  type BackupName,
  manifestKey,
  referencesKey,
} from '../../src/repository/backup-catalogue.ts'
import { recordDrill } from '../../src/repository/drill-records.ts'
import { holdBackup } from '../../src/repository/holds.ts'
import { noteVerification } from '../../src/repository/verifications.ts'
import { acceptLoss } from '../../src/verify/missing-backups.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { Scene } from '../restoring/scene.ts'
import { appendCounted } from '../restoring/source-topics.ts'

let scene: Scene
let names: readonly BackupName[]

beforeEach(async () => {
  scene = await Scene.make()
  await using source = await scene.openSource()
  const orders = await source.createLog('orders', 0)
  for (let count = 0; count < 3; count++) {
    await appendCounted(orders, new Random(count), 5)
    await scene.backUp(source)
  }
  names = await new BackupCatalogue(scene.repository).list()
})

const nameAt = (index: number): BackupName => names.at(index) as BackupName

async function missing(): Promise<readonly (string | null)[]> {
  const { clock, repository } = scene
  const { findings } = await verifyRepository(repository, { decoder: inlineDecoder(), clock })
  expect(findings.filter(({ code }) => code !== 'missing')).toEqual([])
  return findings.map(({ backupId }) => backupId)
}

const remove = (name: BackupName): Promise<void> =>
  scene.repository.target.remove(manifestKey(name))

describe('a manifest that somebody removed is missed', () => {
  test('where the next backup names it', async () => {
    await remove(nameAt(1))
    expect(await missing()).toEqual([nameAt(1).backupId])
  })

  test.each([
    [
      'it was verified',
      ({ backupId }: BackupName) =>
        noteVerification(scene.repository.target, null, { backupId, atMs: 1, isSound: true }),
    ],
    [
      'it was restored in a drill',
      ({ backupId }: BackupName) => {
        const figures = { recoveryMs: 1, bytes: 1, bytesPerSecond: 1, partitions: 1, findings: 0 }
        const { repository, clock } = scene
        return recordDrill(repository.target, { backupId, atMs: 1, ...figures }, clock)
      },
    ],
    ['it is held', ({ backupId }: BackupName) => holdBackup(scene.repository.target, backupId)],
  ])('also the newest one, where %s', async (how, note) => {
    await note(nameAt(2))
    await remove(nameAt(2))
    const { clock, repository } = scene
    const { findings } = await verifyRepository(repository, { decoder: inlineDecoder(), clock })
    expect(findings).toMatchObject([
      { code: 'missing', key: manifestKey(nameAt(2)), backupId: nameAt(2).backupId },
    ])
    expect(findings[0]?.message).toContain(how)
  })

  test('until its loss is accepted, which is not before it is lost', async () => {
    const accept = (): Promise<void> =>
      acceptLoss(scene.repository, nameAt(1).backupId, { clock: scene.clock })
    await expect(accept()).rejects.toThrow('is the id of a backup that is there')
    await remove(nameAt(1))
    await accept()
    expect(await missing()).toEqual([])
  })
})

describe('nothing is missed', () => {
  test('of backups that were pruned, though they were verified', async () => {
    const { backupId } = nameAt(0)
    await noteVerification(scene.repository.target, null, { backupId, atMs: 1, isSound: true })
    const policy = { last: 1, verified: 0 }
    const { clock, repository } = scene
    const how = { policy, isExecuted: true, clock }
    const { removed } = await pruneBackups(repository.target, how)
    expect(removed).toHaveLength(2)
    expect(await missing()).toEqual([])
  })

  test('of a backup that was begun and never came to be', async () => {
    const { target } = scene.repository
    const references = (await target.get(referencesKey(nameAt(1)))) as Buffer
    const begun = { ...nameAt(1), backupId: nameAt(1).backupId.replace(/.{8}$/, '00000000') }
    await target.put(referencesKey(begun), references)
    await target.put(referencesKey({ ...begun, sequence: 4 }), references)
    expect(await missing()).toEqual([])
  })
})

test('a damaged audit log is a finding: nobody knows what was pruned', async () => {
  const { clock, repository } = scene
  await new AuditLog(repository.target, null).add({
    ...{ atMs: 1, action: 'prune', details: 'x', actor: null },
  })
  const key = 'audit/0000000001.json'
  await repository.target.put(key, Buffer.from('{'), { mode: 'replace' })
  const { findings } = await verifyRepository(repository, { decoder: inlineDecoder(), clock })
  expect(findings).toMatchObject([{ code: 'damaged', key, backupId: null }])
})
