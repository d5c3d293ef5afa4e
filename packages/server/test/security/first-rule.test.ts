import { expect, test } from 'vitest'
import type { Acl } from '../../src/security/acl.ts'
import { startTestServer } from '../test-server.ts'

const rule: Acl = {
  ...{ resourceType: 'topic', resourceName: 'orders', pattern: 'literal' },
  ...{ principal: 'User:alice', host: '*', operation: 'read', permission: 'allow' },
}

async function warningsOf(superUsers: readonly string[]): Promise<readonly string[]> {
  const warnings: string[] = []
  const say = (_fields: object, message: string): void => void warnings.push(message)
  const silent = (): void => undefined
  const logger = { debug: silent, info: silent, warn: say, error: say }
  await using server = await startTestServer({ superUsers, logger })
  expect(warnings).toEqual([])
  const { security } = server
  await security.addAcls([rule])
  await security.addAcls([{ ...rule, operation: 'write' }])
  await security.removeAcls([{}])
  await security.addAcls([rule])
  return warnings
}

test('the first rule where nobody is a super user is warned of, each time it is the first', async () => {
  const warnings = await warningsOf([])
  expect(warnings).toHaveLength(2)
  expect(warnings[0]).toContain('super.users')
  expect(warnings[1]).toBe(warnings[0])
})

test('it is not where there are super users', async () => {
  expect(await warningsOf(['User:admin'])).toEqual([])
})
