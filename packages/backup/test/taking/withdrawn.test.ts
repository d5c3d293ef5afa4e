import { expect, test } from 'vitest'
import { LeaseLostError } from '../../src/base/backup-errors.ts'
import { inlineDecoder } from '../../src/reading/object-decoder.ts'
import { AuditLog } from '../../src/repository/audit-log.ts'
import { leasesPrefix } from '../../src/repository/leases.ts'
import { Repository } from '../../src/repository/repository.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { appendRecords, keysOf, Machine } from '../backup-fixture.ts'
import { MemoryTarget } from '../memory-target.ts'

test('a backup that came too late goes again, and nobody misses it', async () => {
  const machine = new Machine()
  const directory = await machine.openData()
  await appendRecords(await directory.createLog('t', 0), 10)
  const target = new MemoryTarget(machine.clock)
  const repository = await Repository.create(target)
  await machine.back(repository, directory)
  // The process stood still while its manifest was on the way: its lease is gone then.
  target.onCall = (call, key) => {
    if (call !== 'put' || !key.startsWith('manifests/')) return
    for (const lease of [...target.files.keys()]) {
      if (lease.startsWith(leasesPrefix)) target.files.delete(lease)
    }
  }
  await expect(machine.back(repository, directory)).rejects.toThrow(LeaseLostError)
  target.onCall = () => {}
  expect(await keysOf(target, 'manifests/')).toHaveLength(1)
  expect(await new AuditLog(target, null).read()).toMatchObject([{ action: 'withdraw' }])
  await machine.back(repository, directory)
  const { findings } = await verifyRepository(repository, {
    ...{ decoder: inlineDecoder(), clock: machine.clock },
  })
  expect(findings).toEqual([])
  await directory.close()
})
