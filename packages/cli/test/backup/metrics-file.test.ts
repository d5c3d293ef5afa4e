import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { MetricsFile } from '../../src/backup/metrics-file.ts'
import { run, runWith } from '../captured-io.ts'
import { BackupScene, ran } from './backup-scene.ts'

const scene = new BackupScene()

const metricOf = (name: string): number | null => {
  const text = readFileSync(scene.at('varve.prom'), 'utf8')
  const value = new RegExp(`^varve_backup_${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]
  return value === undefined ? null : Number(value)
}

test('each command goes on from what the one before left in the file', async () => {
  const metrics = ['--metrics-file', scene.at('varve.prom')]
  const backUp = ['backup', 'run', scene.at('data'), scene.at('backups'), ...metrics]
  // There is no repository yet.
  expect((await run(...backUp)).code).toBe(3)
  expect([metricOf('failures_total'), metricOf('last_failed')]).toEqual([1, 1])
  await ran('backup', 'init', scene.at('backups'))
  await ran(...backUp)
  expect([metricOf('failures_total'), metricOf('last_failed')]).toEqual([1, 0])
  const stored = metricOf('stored_bytes_total') ?? 0
  expect(stored).toBeGreaterThan(0)
  expect(metricOf('repository_bytes')).toBe(stored)
  await scene.produce(101, 200)
  await ran(...backUp)
  expect(metricOf('taken_total')).toBe(1)
  expect(metricOf('stored_bytes_total')).toBeGreaterThan(stored)
  expect(metricOf('repository_backups')).toBe(2)
  expect(metricOf('newest_timestamp_seconds')).toBeGreaterThan(Date.now() / 1000 - 600)
  expect(metricOf('drill_recovery_seconds')).toBe(null)
  await ran('backup', 'drill', scene.at('backups'), '--scratch', scene.at('scratch'), ...metrics)
  expect(metricOf('drill_recovery_seconds')).toBeGreaterThan(0)
  expect(metricOf('taken_total')).toBe(1)
  expect(metricOf('newest_verified_timestamp_seconds')).toBe(null)
  await ran('backup', 'verify', scene.at('backups'), ...metrics)
  expect(metricOf('newest_verified_timestamp_seconds')).toBe(metricOf('newest_timestamp_seconds'))
})

test('following tells how old the recovery point is', async () => {
  await ran('backup', 'init', scene.at('backups'))
  const ending = new AbortController()
  const metrics = ['--metrics-file', scene.at('varve.prom'), '--interval', '1s']
  const places = [scene.at('data'), scene.at('backups')]
  const begunMs = Date.now()
  const following = runWith({ signal: ending.signal }, 'backup', 'follow', ...places, ...metrics)
  await vi.waitFor(() => {
    expect(metricOf('recovery_point_timestamp_seconds')).toBeGreaterThan(begunMs / 1000)
  }, 15_000)
  ending.abort()
  expect((await following).code).toBe(0)
  expect([metricOf('repository_up'), metricOf('repository_backups')]).toEqual([1, 1])
}, 20_000)

test('a file of something else stays, and so does a place that is none', async () => {
  writeFileSync(scene.at('precious'), 'records\n')
  for (const path of [scene.at('precious'), scene.at('none/varve.prom')]) {
    await expect(MetricsFile.open(path)).rejects.toThrow()
  }
  expect(readFileSync(scene.at('precious'), 'utf8')).toBe('records\n')
})
