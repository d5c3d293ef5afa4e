import { SimulatedFileSystem } from '@varve/log/testing'
import { expect, test } from 'vitest'
import {
  ClientQuotas,
  entityOf,
  isQuotaEntityType,
} from '../../src/administration/client-quotas.ts'
import { checkQuotaFilter } from '../../src/administration/quota-filter.ts'
import { CorruptServerStateError, RequestRefusedError } from '../../src/base/server-errors.ts'
import { ServerState } from '../../src/base/server-state.ts'

function emptyState(): ServerState {
  const fs = new SimulatedFileSystem()
  fs.makeDirectory('/data')
  return ServerState.load(fs, '/data')
}

test('no more entities have quotas than the file of the state holds', async () => {
  const state = emptyState()
  const many = Array.from({ length: 5000 }, (_, index) => {
    return { entity: { user: `u${index}` }, values: { request_percentage: 1 } }
  })
  await state.update('quotas', () => many)
  const quotas = ClientQuotas.load(state)
  const set = [{ key: 'request_percentage', value: 2, remove: false }]
  await expect(quotas.alter({ user: 'one more' }, set, false)).rejects.toThrow(RequestRefusedError)
  await quotas.alter({ user: 'u7' }, set, false)
  expect(quotas.all).toHaveLength(5000)
})

test.each([
  { a: 1 },
  [null],
  [{ entity: { moon: 'x' }, values: {} }],
  [{ entity: { user: 5 }, values: {} }],
  [{ entity: { user: 'u' }, values: { request_percentage: '1' } }],
])('a section that is %j is damage', async (section) => {
  const state = emptyState()
  await state.update('quotas', () => section)
  expect(() => ClientQuotas.load(state)).toThrow(CorruptServerStateError)
})

test('an entity is its parts by type', () => {
  expect(isQuotaEntityType('ip') && !isQuotaEntityType('toString')).toBe(true)
  const parts = [
    { entityType: 'user', entityName: null },
    { entityType: 'client-id', entityName: 'c' },
  ]
  const entity = entityOf(parts)
  expect(entity).toEqual({ user: null, 'client-id': 'c' })
  const matches = checkQuotaFilter([{ entityType: 'user', matchType: 1, match: null }], false)
  expect(matches(entity)).toBe(true)
})
