import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { ManualClock } from '@varve/log/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import type { BackupKeyError } from '../../src/base/backup-errors.ts'
import type { Unlocking } from '../../src/keys/key-ring.ts'
import { recipientIdOf } from '../../src/keys/recipient.ts'
import { addRecipient, removeRecipient } from '../../src/keys/recipients.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryTarget } from '../memory-target.ts'

const [first, second, third] = Array.from({ length: 3 }, () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const keyFile = { role: 'reader' as const, repositoryId: null, idKey: null, privateKey }
  return { publicKey, id: recipientIdOf(publicKey), unlocking: { keyFile } }
}) as [Reader, Reader, Reader]

interface Reader {
  readonly publicKey: KeyObject
  readonly id: string
  readonly unlocking: Unlocking
}

const refusal: Partial<BackupKeyError> = { code: 'VARVE_BACKUP_KEY' }
const costs = { scryptN: 1024, rsaBits: 2048 }
const content = Buffer.from('what is to be read')
let target: MemoryTarget
/** An object of each of two stretches of time. */
let ids: Buffer[]

beforeEach(async () => {
  target = new MemoryTarget(new ManualClock())
  await Repository.create(target, { encryption: { publicKeys: [first.publicKey] } })
  ids = []
  for (const text of ['one', 'two']) {
    const repository = await Repository.open(target, first.unlocking)
    const stored = Buffer.concat([content, Buffer.from(text)])
    ids.push((await repository.putObject('partition', 'main', stored)).id)
  }
})

/** How many of the objects open. */
async function readable(by: Unlocking): Promise<number> {
  const repository = await Repository.open(target, by)
  for (const id of ids) await repository.getObject('partition', 'main', id)
  return ids.length
}

describe('a recipient that is let in', () => {
  test('reads what was stored before and after, and no object is written anew', async () => {
    const repository = await Repository.open(target, first.unlocking)
    const before = [...target.files.keys()].filter((key) => key.startsWith('objects/'))
    const change = await addRecipient(repository, { publicKey: second.publicKey })
    expect(change).toEqual({ id: second.id, wrappedEpochs: 2, closedEpochs: [] })
    expect([...target.files.keys()].filter((key) => key.startsWith('objects/'))).toEqual(before)
    ids.push((await repository.putObject('partition', 'main', Buffer.from('later'))).id)
    expect(await readable(second.unlocking)).toBe(3)
    const again = await addRecipient(repository, { publicKey: second.publicKey })
    expect(again.wrappedEpochs).toBe(0)
  })

  test('may be a passphrase, which is changed by adding one and removing one', async () => {
    const repository = await Repository.open(target, first.unlocking)
    const old = await addRecipient(repository, { passphrase: 'correct horse', ...costs })
    expect(await readable({ passphrase: 'correct horse' })).toBe(2)
    const byOld = await Repository.open(target, { passphrase: 'correct horse' })
    await addRecipient(byOld, { passphrase: 'battery staple', ...costs })
    await removeRecipient(byOld, old.id)
    expect(await readable({ passphrase: 'battery staple' })).toBe(2)
    await expect(readable({ passphrase: 'correct horse' })).rejects.toMatchObject(refusal)
  })

  test('is not let in by one who only writes, nor where nothing is encrypted', async () => {
    const { keys, file } = await Repository.open(target, first.unlocking)
    const { idKey } = keys.naming
    const keyFile = { role: 'writer' as const, repositoryId: file.repositoryId, idKey }
    const writer = await Repository.open(target, { keyFile: { ...keyFile, privateKey: null } })
    const who = { publicKey: second.publicKey }
    await expect(addRecipient(writer, who)).rejects.toMatchObject(refusal)
    await expect(removeRecipient(writer, first.id)).rejects.toMatchObject(refusal)
    const open = await Repository.create(new MemoryTarget(new ManualClock()))
    await expect(addRecipient(open, who)).rejects.toMatchObject(refusal)
  })

  test('is complete at last, whichever call fails on the way', async () => {
    const untouched = new Map(target.files)
    for (let call = 1; ; call++) {
      target.files.clear()
      for (const [key, file] of untouched) target.files.set(key, file)
      const repository = await Repository.open(target, first.unlocking)
      const hasFailed = await failingAt(call, () =>
        addRecipient(repository, { publicKey: second.publicKey }),
      )
      if (!hasFailed) break
      await addRecipient(repository, { publicKey: second.publicKey })
      expect(await readable(second.unlocking), `call ${call}`).toBe(2)
    }
  })

  test('is let in by a writer, too, that had looked before', async () => {
    const repository = await Repository.open(target, first.unlocking)
    const writer = await Repository.open(target, first.unlocking)
    let isAdded = false
    // Between its look at the recipients and its first key.
    target.onCall = async (call, key) => {
      if (call !== 'put' || !key.startsWith('epochs/') || isAdded) return
      isAdded = true
      await addRecipient(repository, { publicKey: second.publicKey })
    }
    ids.push((await writer.putObject('partition', 'main', Buffer.from('meanwhile'))).id)
    expect(isAdded).toBe(true)
    expect(await readable(second.unlocking)).toBe(3)
  })
})

describe('a recipient that is put out', () => {
  test('opens nothing any more; the others open everything', async () => {
    const repository = await Repository.open(target, first.unlocking)
    await addRecipient(repository, { publicKey: second.publicKey })
    await removeRecipient(repository, first.id)
    await expect(readable(first.unlocking)).rejects.toMatchObject(refusal)
    expect(await readable(second.unlocking)).toBe(2)
    expect([...target.files.keys()].filter((key) => key.includes(first.id))).toEqual([])
  })

  test('is never the last, nor one that is not there', async () => {
    const repository = await Repository.open(target, first.unlocking)
    await expect(removeRecipient(repository, first.id)).rejects.toMatchObject(refusal)
    await expect(removeRecipient(repository, third.id)).rejects.toMatchObject(refusal)
    expect(await readable(first.unlocking)).toBe(2)
  })

  test('leaves the others everything, whichever call fails on the way', async () => {
    const repository = await Repository.open(target, first.unlocking)
    await addRecipient(repository, { publicKey: second.publicKey })
    // A key that the second one lacks: letting it in was cut short.
    const lacking = [...target.files.keys()].find((key) => key.endsWith(second.id))
    target.files.delete(lacking ?? '')
    const untouched = new Map(target.files)
    for (let call = 1; ; call++) {
      target.files.clear()
      for (const [key, file] of untouched) target.files.set(key, file)
      const remover = await Repository.open(target, first.unlocking)
      const hasFailed = await failingAt(call, () => removeRecipient(remover, first.id))
      if (!hasFailed) break
      await removeRecipient(remover, first.id).catch((error) =>
        expect(error).toMatchObject(refusal),
      )
      expect(await readable(second.unlocking), `call ${call}`).toBe(2)
      expect([...target.files.keys()].filter((key) => key.includes(first.id))).toEqual([])
    }
  })
})

/** Whether the n-th call to the target came, and failed. */
async function failingAt(wanted: number, run: () => Promise<unknown>): Promise<boolean> {
  let calls = 0
  target.onCall = () => {
    if (++calls === wanted) throw new Error('EIO')
  }
  try {
    await run()
    return false
  } catch (error) {
    expect(error).toMatchObject({ message: 'EIO' })
    return true
  } finally {
    target.onCall = () => {}
  }
}
