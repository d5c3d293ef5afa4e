import { expect, test } from 'vitest'
import type { QuotaEntity } from '../../src/administration/client-quotas.ts'
import { QuotaIndex } from '../../src/quotas/quota-index.ts'

const name = 'producer_byte_rate'

/** In Kafka's order; each limit is the place in it. */
const entities: readonly QuotaEntity[] = [
  { user: 'u', 'client-id': 'c' },
  { user: 'u', 'client-id': null },
  { user: 'u' },
  { user: null, 'client-id': 'c' },
  { user: null, 'client-id': null },
  { user: null },
  { 'client-id': 'c' },
  { 'client-id': null },
]

const all = entities.map((entity, limit) => ({ entity, values: { [name]: limit } }))

test.each(entities.map((_, index) => index))(
  'without %i before it, the next one counts',
  (from) => {
    const found = new QuotaIndex(all.slice(from)).find(name, 'u', 'c')
    const isUserAlone = from === 2 || from === 5
    const isIdAlone = from >= 6
    expect(found).toEqual({
      limit: from,
      user: isIdAlone ? '' : 'u',
      clientId: isUserAlone ? '' : 'c',
    })
  },
)

test('each quota is found by itself: another of a nearer entity does not hide it', () => {
  const index = new QuotaIndex([
    { entity: { user: 'u', 'client-id': 'c' }, values: { consumer_byte_rate: 1 } },
    { entity: { user: 'u' }, values: { [name]: 2 } },
  ])
  expect(index.find(name, 'u', 'c')?.limit).toBe(2)
})

test('quotas of client ids are not those of clients without one', () => {
  const index = new QuotaIndex(all)
  expect(index.find(name, 'u', '')?.limit).toBe(2)
  expect(new QuotaIndex(all.slice(6)).find(name, 'u', '')).toBeNull()
})

test('those named like a default are not the default', () => {
  const index = new QuotaIndex([{ entity: { user: null }, values: { [name]: 1 } }])
  expect(index.find(name, '0', 'c')?.user).toBe('0')
  const named = new QuotaIndex([{ entity: { user: '0' }, values: { [name]: 1 } }])
  expect(named.find(name, 'u', 'c')).toBeNull()
})

test('an address has its own rate, or that of all others', () => {
  const values = (rate: number) => ({ connection_creation_rate: rate })
  const index = new QuotaIndex([
    { entity: { ip: '1.2.3.4' }, values: values(5) },
    { entity: { ip: null }, values: values(7) },
  ])
  expect(index.ofAddress('1.2.3.4')).toBe(5)
  expect(index.ofAddress('1.2.3.5')).toBe(7)
  expect(new QuotaIndex([]).ofAddress('1.2.3.4')).toBeNull()
})
