import { silentLogger } from '@varve/broker/serving'
import { ManualClock } from '@varve/log/testing'
import { expect, test } from 'vitest'
import { CertificateWatch } from '../../src/net/certificate-watch.ts'

test('certificates are looked at now and then, each for itself, until it is stopped', () => {
  const clock = new ManualClock()
  const said: string[] = []
  const looks = { good: 0, bad: 0 }
  const logger = {
    ...silentLogger,
    info: (_: object, text: string) => void said.push(text),
    error: (_: object, text: string) => void said.push(text),
  }
  const listeners = [
    {
      name: 'BAD',
      reloadCertificate: () => {
        looks.bad++
        throw new Error('unreadable')
      },
    },
    { name: 'GOOD', reloadCertificate: () => ++looks.good === 1 },
  ]
  const watch = new CertificateWatch(listeners, clock, logger)
  clock.advance(30_000)
  clock.advance(30_000)
  expect(looks).toEqual({ good: 2, bad: 2 })
  expect(said.filter((text) => text.includes('new certificate'))).toHaveLength(1)
  expect(said.filter((text) => text.includes('cannot be used'))).toHaveLength(2)
  watch.stop()
  clock.advance(300_000)
  expect(looks.good).toBe(2)
})
