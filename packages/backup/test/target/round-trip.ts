import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { type Log, LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect } from 'vitest'
import type { BackupKind } from '../../src/format/manifest.ts'
import { pruneBackups } from '../../src/pruning/prune.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { BackupCatalogue } from '../../src/repository/backup-catalogue.ts'
import { Repository } from '../../src/repository/repository.ts'
import { restoreBackup } from '../../src/restoring/restore-run.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import type { Target } from '../../src/target/target.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { cheapPassphrase } from '../backup-fixture.ts'

const unlocking = { passphrase: cheapPassphrase.passphrase }
const encoder = inlineEncoder(nodeFileSystem)
const decoder = inlineDecoder()

/** One partition's `.log` files by name. */
type LogFiles = ReadonlyMap<string, Buffer>

/**
 * All that a repository is for, on one target: made and encrypted, a full backup, an incremental
 * one, every byte proven, both restored and compared, damage found, the old backup pruned, and what
 * is left proven and restored again.
 */
export async function backUpAndRestore(
  open: () => Promise<Target>,
  { batches }: { readonly batches: number },
): Promise<void> {
  using directory = makeTemporaryDirectory()
  const data = `${directory.path}/data`
  const target = await open()
  const options = { encryption: cheapPassphrase, objectBytes: 64 * 1024 }
  const writer = await Repository.create(target, options)
  const source = await LogDirectory.open(data, { log: { segmentBytes: 256 * 1024 } })
  const logs = [await source.createLog('orders', 0), await source.createLog('orders', 1)]
  await source.createLog('empty', 0)
  const back = (kind: BackupKind) => runBackup(writer, new LiveSource(source), { kind, encoder })

  for (const log of logs) await append(log, batches)
  const full = await back('full')
  const before = filesOf(data)
  for (const log of logs) await append(log, batches / 2)
  const incremental = await back('incremental')
  const after = filesOf(data)
  expect([...full.gaps, ...incremental.gaps]).toEqual([])
  expect(incremental.base).toBe(full.backupId)
  await source.close()
  await writer.close()

  const repository = await Repository.open(await open(), unlocking)
  const verified = await verifyRepository(repository, { decoder })
  expect(verified).toMatchObject({ backups: 2, findings: [] })
  const restored = async (backupId: string): Promise<LogFiles> => {
    const backup = await new BackupCatalogue(repository).find(backupId)
    const to = `${directory.path}/restored-${randomBytes(4).toString('hex')}`
    await restoreBackup(repository, backup, { to, encoder, decoder })
    return filesOf(to)
  }
  expectBeginningsOf(await restored(full.backupId), before)
  expectBeginningsOf(await restored(incremental.backupId), after)

  await expectDamageFound(repository)

  const policy = { last: 1 }
  const pruned = await pruneBackups(repository.target, { policy, isExecuted: true, graceMs: 0 })
  expect(pruned.removed).toEqual([full.backupId])
  const left = await verifyRepository(repository, { decoder })
  expect(left).toMatchObject({ backups: 1, findings: [] })
  expectBeginningsOf(await restored(incremental.backupId), after)
  await repository.close()
}

async function append(log: Log, batches: number): Promise<void> {
  for (let index = 0; index < batches; index++) {
    await log.append([{ key: `k${index}`, value: randomBytes(1000) }], { acks: 'written' })
  }
}

function filesOf(data: string): LogFiles {
  const names = readdirSync(data, { recursive: true }).map(String)
  const logs = names.filter((name) => name.endsWith('.log')).sort()
  return new Map(logs.map((name) => [name, readFileSync(`${data}/${name}`)]))
}

/** Files of the source may be longer on disk than what is in them: room is made in advance. */
function expectBeginningsOf(restored: LogFiles, source: LogFiles): void {
  expect([...restored.keys()]).toEqual([...source.keys()])
  for (const [name, bytes] of restored) {
    const original = source.get(name)?.subarray(0, bytes.length)
    expect(original?.equals(bytes), name).toBe(true)
    const rest = source.get(name)?.subarray(bytes.length)
    expect(
      rest?.every((byte) => byte === 0),
      name,
    ).toBe(true)
  }
}

/** Of an object's kind in its header; 0 is data. */
const kindAt = 5

/** One object is changed and one is taken away; afterwards they are as they were. */
async function expectDamageFound(repository: Repository): Promise<void> {
  const { target } = repository
  const keys: string[] = []
  for await (const { key } of target.list('objects/')) {
    // Of data: what a list names is not known when the list itself is gone.
    if ((await target.get(key))?.[kindAt] === 0) keys.push(key)
  }
  const [changed = '', removed = ''] = [keys.at(0), keys.at(-1)]
  const originals = { changed: await target.get(changed), removed: await target.get(removed) }
  if (originals.changed === null || originals.removed === null) expect.unreachable()
  const wrong = Buffer.from(originals.changed)
  wrong[wrong.length - 40] = (wrong.at(-40) ?? 0) ^ 1
  await target.put(changed, wrong, { mode: 'replace' })
  await target.remove(removed)
  const { findings } = await verifyRepository(repository, { decoder })
  expect(findings.some(({ code, key }) => code === 'damaged' && key === changed)).toBe(true)
  expect(findings.some(({ code, key }) => code === 'missing' && key === removed)).toBe(true)
  await target.put(changed, originals.changed, { mode: 'replace' })
  await target.put(removed, originals.removed)
  expect((await verifyRepository(repository, { decoder })).findings).toEqual([])
}
