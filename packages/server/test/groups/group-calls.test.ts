import { ClosedError } from '@varve/broker'
import { silentLogger } from '@varve/broker/serving'
import { expect, test } from 'vitest'
import type { Client } from '../../src/base/client.ts'
import type { ServerContext } from '../../src/base/server-context.ts'
import { clientHostOf, groupErrorCode } from '../../src/groups/group-calls.ts'
import { errorCodes } from '../../src/protocol/error-codes.ts'

test('addresses are noted as Java prints them', () => {
  const hostOf = (host: string): string => clientHostOf({ host } as Client)
  expect(hostOf('127.0.0.1')).toBe('/127.0.0.1')
  expect(hostOf('::ffff:10.0.0.7')).toBe('/10.0.0.7')
  expect(hostOf('::1')).toBe('/::1')
})

test('what happens to the log of offsets is told as if it were the coordinator; the rest is logged', () => {
  const logged: object[] = []
  const logger = { ...silentLogger, error: (facts: object) => logged.push(facts) }
  const server = { logger } as unknown as ServerContext
  expect(groupErrorCode(server, 'g', new ClosedError('x'))).toBe(errorCodes.NOT_COORDINATOR)
  expect(logged).toEqual([])
  const error = new Error('odd')
  expect(groupErrorCode(server, 'g', error)).toBe(errorCodes.UNKNOWN_SERVER_ERROR)
  expect(logged).toEqual([{ err: error, group: 'g' }])
})
