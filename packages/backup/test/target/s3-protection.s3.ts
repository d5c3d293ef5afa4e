import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutBucketPolicyCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { expect, type TestContext, test } from 'vitest'
import { TargetError } from '../../src/base/backup-errors.ts'
import { pruneBackups } from '../../src/pruning/prune.ts'
import { Repository } from '../../src/repository/repository.ts'
import { LiveSource } from '../../src/source/live-source.ts'
import { runBackup } from '../../src/taking/backup-run.ts'
import { inlineEncoder } from '../../src/taking/extent-encoder.ts'
import { cheapPassphrase } from '../backup-fixture.ts'
import { describeWithS3Servers, type RealServer } from './real-servers.ts'
import { backUpAndRestore } from './round-trip.ts'

/** What is said in docs/backup-targets.md of rights and locks. */
describeWithS3Servers((server) => {
  const needsProtection = (context: TestContext): void => {
    if (server.name === 'OpenStack Swift') context.skip('Swift has neither policies nor locks')
  }

  test('who writes needs to remove leases only, and who prunes reads no object', async (context) => {
    needsProtection(context)
    const address = await server.newAddress()
    const { bucket, prefix } = await placeOf(server, address)
    const target = await server.open(address, { attempts: 2 })
    using directory = makeTemporaryDirectory()
    await using source = await LogDirectory.open(`${directory.path}/data`)
    const log = await source.createLog('t', 0)
    const repository = await Repository.create(target, { encryption: cheapPassphrase })
    const back = async (): Promise<string> => {
      await log.append([{ key: 'k', value: 'v' }])
      const encoder = inlineEncoder(nodeFileSystem)
      const options = { kind: 'full', isIndependent: true, encoder } as const
      return (await runBackup(repository, new LiveSource(source), options)).backupId
    }
    const deny = (action: string, resources: object): Promise<void> =>
      setPolicy(server, bucket, { Effect: 'Deny', Action: [action], ...resources })
    const all = `arn:aws:s3:::${bucket}/${prefix}`

    await deny('s3:DeleteObject', { NotResource: [`${all}leases/*`] })
    const first = await back()
    await back()
    const prune = () => pruneBackups(target, { policy: { last: 1 }, isExecuted: true, graceMs: 0 })
    await expect(prune()).rejects.toThrow(TargetError)

    await deny('s3:GetObject', { Resource: [`${all}objects/*`, `${all}manifests/*`] })
    expect((await prune()).removed).toEqual([first])
    for await (const { key } of target.list('objects/')) {
      await expect(target.get(key)).rejects.toThrow(/AccessDenied/)
    }
    await target.close()
  })

  test('a bucket with object lock keeps what was removed', async (context) => {
    needsProtection(context)
    const client = server.client()
    const Bucket = `varve-locked-${Date.now()}`
    await client.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }))
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } as const
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule } as const
    await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }))
    const [, query] = (await server.newAddress()).split('?')
    await backUpAndRestore(() => server.open(`s3://${Bucket}/locked?${query}`), { batches: 100 })
    const { Versions = [], DeleteMarkers = [] } = await client.send(
      new ListObjectVersionsCommand({ Bucket, Prefix: 'locked/manifests/' }),
    )
    // One was pruned: there is a mark over it, and it is there.
    expect([Versions.length, DeleteMarkers.length]).toEqual([2, 1])
    for (const { Key, VersionId } of Versions) {
      const command = new DeleteObjectCommand({ Bucket, Key, VersionId })
      await expect(client.send(command)).rejects.toThrow()
    }
    client.destroy()
  })
})

async function placeOf(
  server: RealServer,
  address: string,
): Promise<{ readonly bucket: string; readonly prefix: string }> {
  const prefix = `${new URL(address).pathname.slice(1)}/`
  return { bucket: await server.bucket(), prefix }
}

async function setPolicy(server: RealServer, bucket: string, statement: object): Promise<void> {
  const client = server.client()
  const everybody = { Principal: '*', ...statement }
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [everybody] })
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }))
  client.destroy()
}
