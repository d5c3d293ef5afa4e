import { createHash } from 'node:crypto'
import {
  backupChannels,
  DirectorySource,
  DirectoryTarget,
  inlineEncoder,
  noteVerification,
  Repository,
  runBackup,
} from '@varve/backup'
import { LogDirectory, nodeFileSystem } from '@varve/log'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterEach, expect, test } from 'vitest'
import { BackupMetrics } from '../../src/metrics/backup-metrics.ts'
import { newMachine, openOn } from '../broker-fixture.ts'

const open: BackupMetrics[] = []

afterEach(() => {
  for (const metrics of open.splice(0)) metrics.close()
})

function newMetrics(): BackupMetrics {
  const metrics = new BackupMetrics()
  open.push(metrics)
  return metrics
}

/** Values by series, without `varve_backup_`. */
async function valuesOf(metrics: BackupMetrics): Promise<ReadonlyMap<string, number>> {
  const samples = (await metrics.text()).matchAll(/^varve_backup_(.*) (\S+)$/gm)
  return new Map([...samples].map(([, series = '', value]) => [series, Number(value)]))
}

test('backups, their failures and how a repository stands are told as they are', async () => {
  using temporary = makeTemporaryDirectory()
  const data = `${temporary.path}/data`
  const directory = await LogDirectory.open(data)
  const log = await directory.createLog('orders', 0)
  await log.append({ value: 'x'.repeat(10_000) })
  await directory.close()
  const target = new DirectoryTarget(`${temporary.path}/repository`)
  await using repository = await Repository.create(target)
  const metrics = newMetrics()
  metrics.watch(repository, { maxAgeMs: 0 })
  const options = { source: 'shop', encoder: inlineEncoder(nodeFileSystem) }
  const source = new DirectorySource(data)
  const first = await runBackup(repository, source, options)
  const ending = new AbortController()
  ending.abort()
  await expect(
    runBackup(repository, source, { ...options, kind: 'full', signal: ending.signal }),
  ).rejects.toThrow()
  const labels = `{repository="${target.name}",source="shop"}`
  const before = await valuesOf(metrics)
  expect(before.get(`taken_total{repository="${target.name}",source="shop",kind="full"}`)).toBe(1)
  // Somebody ended it: that is no failure.
  expect(before.get(`failures_total${labels}`)).toBe(0)
  expect(before.get(`read_bytes_total${labels}`)).toBe(first.figures.readBytes)
  expect(before.get(`stored_bytes_total${labels}`)).toBe(first.figures.newBytes)
  expect(before.get(`last_source_bytes${labels}`)).toBe(first.figures.totalBytes)
  expect(before.get(`recovery_point_timestamp_seconds${labels}`)).toBe(first.takenMs / 1000)
  expect(before.get(`newest_timestamp_seconds${labels}`)).toBeCloseTo(first.takenMs / 1000, 0)
  expect(before.has(`newest_verified_timestamp_seconds${labels}`)).toBe(false)

  const { backupId } = first
  await noteVerification(target, null, { backupId, atMs: first.takenMs + 5000, isSound: true })
  const drill = { backupId, atMs: 7000, recoveryMs: 1500, bytes: 10, bytesPerSecond: 6.5 }
  const record = JSON.stringify({ ...drill, partitions: 1, findings: 0 })
  await target.put('drills/0000000000007000-00000000.json', Buffer.from(record))
  await target.put('drills/0000000000008000-00000000.json', Buffer.from('rot'))
  await expect(
    runBackup(repository, new DirectorySource(`${temporary.path}/none`), options),
  ).rejects.toThrow()
  const after = await valuesOf(metrics)
  expect(after.get(`failures_total${labels}`)).toBe(1)
  expect(after.get(`last_failed${labels}`)).toBe(1)
  const newest = after.get(`newest_timestamp_seconds${labels}`)
  expect(after.get(`newest_verified_timestamp_seconds${labels}`)).toBe(newest)
  const place = `{repository="${target.name}"}`
  expect(after.get(`repository_up${place}`)).toBe(1)
  expect(after.get(`repository_objects${place}`)).toBe(first.figures.newObjects)
  expect(after.get(`repository_bytes${place}`)).toBe(first.figures.newBytes)
  expect(after.get(`drill_recovery_seconds${place}`)).toBe(1.5)
  expect(after.get(`drill_timestamp_seconds${place}`)).toBe(7)
})

test('a repository that cannot be looked at is not up, and stays as it was known', async () => {
  using temporary = makeTemporaryDirectory()
  const target = new DirectoryTarget(temporary.path)
  await using repository = await Repository.create(target)
  const metrics = newMetrics()
  await metrics.look(repository)
  const place = `{repository="${target.name}"}`
  expect((await valuesOf(metrics)).get(`repository_up${place}`)).toBe(1)
  target.list = () => {
    throw new Error('the disk is gone')
  }
  await metrics.look(repository)
  const values = await valuesOf(metrics)
  expect(values.get(`repository_up${place}`)).toBe(0)
  expect(values.get(`repository_objects${place}`)).toBe(0)
})

test('a later process counts on from what an earlier one wrote', async () => {
  const [repository, source] = ['s3://a "quoted" \\ name', 'line\nbreak']
  const earlier = newMetrics()
  const publish = (savedMs: number): void => {
    backupChannels.failure.publish({ repository, source, error: new Error() })
    backupChannels.followed.publish({ repository, source, savedMs })
  }
  publish(1000)
  publish(2000)
  const text = await earlier.text()
  earlier.close()
  const later = newMetrics()
  later.restore(text)
  expect(await later.text()).toBe(text)
  publish(3000)
  const values = [...(await valuesOf(later))].map(([series, value]) => [
    series.replace(/\{.*/, ''),
    value,
  ])
  expect(Object.fromEntries(values)).toMatchObject({
    failures_total: 3,
    last_failed: 0,
    recovery_point_timestamp_seconds: 3,
  })
})

test('a file that somebody else wrote, or broke, is no harm', async () => {
  const metrics = newMetrics()
  const empty = await metrics.text()
  const wrong = [
    'varve_backup_failures_total{repository="a"} 1',
    'varve_backup_failures_total{repository="a",source="b",kind="c"} 1',
    'varve_backup_repository_up{repository="a",source="b"} 1',
    'varve_backup_failures_total{repository="a",source="b"} NaN',
    'varve_backup_failures_total{repository="a",source="b"} -5',
    'varve_backup_unheard_of{repository="a"} 1',
    'varve_flushes_total 7',
    `varve_backup_repository_up{repository="${'x'.repeat(10_000)}"} 1`,
    createHash('sha256').digest().toString('latin1'),
  ]
  metrics.restore(wrong.join('\n'))
  expect(await metrics.text()).toBe(empty)
  // Of a series that is there twice the first counts.
  const line = 'varve_backup_failures_total{repository="a",source="b"} 2'
  metrics.restore(`${line}\n${line}\n`)
  expect(await metrics.text()).toContain(`${line}\n`)
})

test('the metrics of a data directory have its backups too', async () => {
  using temporary = makeTemporaryDirectory()
  const machine = newMachine()
  await using varve = await openOn(machine)
  await varve.createTopic('orders')
  await using repository = await Repository.create(new DirectoryTarget(temporary.path))
  const metrics = varve.metrics({ processMetrics: false })
  metrics.watch(repository)
  const options = { source: 'shop', stateDirectory: '/state', fs: machine.fs }
  await varve.backup(repository, { ...options, encoder: inlineEncoder(machine.fs) })
  const text = await metrics.text()
  expect(text).toMatch(/^varve_backup_taken_total\{.*source="shop",kind="full"\} 1$/m)
  expect(text).toMatch(/^varve_backup_repository_backups\{.*source="shop"\} 1$/m)
  metrics.unwatch(repository)
})
