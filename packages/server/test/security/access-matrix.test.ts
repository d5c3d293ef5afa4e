import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ApiDeclaration, Encodable } from '../../src/protocol/api-declaration.ts'
import { apiVersions } from '../../src/protocol/apis/api-versions.ts'
import { initProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { type ApiName, apiNamed, apis } from '../../src/protocol/apis.ts'
import { type ErrorName, errorCodes } from '../../src/protocol/error-codes.ts'
import type { Acl } from '../../src/security/acl.ts'
import type { Server } from '../../src/server.ts'
import { startTestServer } from '../test-server.ts'
import { WireClient } from '../wire-client.ts'
import { type AccessRow, accessTable, moreAccess, names, type Right } from './access-table.ts'

const rights: readonly Right[] = [
  ...(['read', 'write', 'create', 'delete', 'alter', 'describe'] as const).map(
    (operation): Right => `${operation} topic`,
  ),
  ...(['describeConfigs topic', 'alterConfigs topic'] as const),
  ...(['read group', 'delete group', 'describe group'] as const),
  ...(['describeConfigs group', 'alterConfigs group'] as const),
  ...(['create cluster', 'alter cluster', 'describe cluster', 'clusterAction cluster'] as const),
  'delete cluster',
  ...(['describeConfigs cluster', 'alterConfigs cluster', 'idempotentWrite cluster'] as const),
  ...(['write transactionalId', 'describe transactionalId'] as const),
]

const refusals: ReadonlySet<number> = new Set(
  (
    [
      'TOPIC_AUTHORIZATION_FAILED',
      'GROUP_AUTHORIZATION_FAILED',
      'CLUSTER_AUTHORIZATION_FAILED',
      'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    ] satisfies ErrorName[]
  ).map((name) => errorCodes[name]),
)

const implied: Readonly<Record<string, readonly string[]>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  describeConfigs: ['alterConfigs'],
}

type AnyRow = AccessRow<ApiName>
const rows = [...Object.entries(accessTable), ...moreAccess] as unknown as readonly (readonly [
  ApiName,
  AnyRow,
])[]

let server: Server
let client: WireClient
let offered: ReadonlyMap<number, number>

beforeAll(async () => {
  server = await startTestServer({ accessWithoutAcls: 'deny' })
  client = await WireClient.connect(server.port)
  await server.varve.createTopic(names.topic)
  const { apiKeys } = await client.call(apiVersions, 0, {})
  offered = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]))
  await setRules([everything()])
  const transactionTimeoutMs = 10_000
  await client.call(initProducerId, 4, { transactionalId: 'payments', transactionTimeoutMs })
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await server.close()
})

test('every API that is offered is in the table', () => {
  const named = new Set(rows.map(([name]) => name))
  const missing = apis.filter(({ key, name }) => offered.has(key) && !named.has(name))
  expect(missing.map(({ name }) => name)).toEqual([])
})

test.each(rights)('who has no right but to %s is answered what that allows', async (right) => {
  await setRules([rule(right, 'allow')])
  expect(await answersThatAreWrong((asked) => isAllowedBy(right, asked))).toEqual([])
})

test.each(rights)(
  'who has every right but to %s is answered what the others allow',
  async (right) => {
    await setRules([...everythingOfEach(), rule(right, 'deny')])
    expect(await answersThatAreWrong((asked) => asked !== right)).toEqual([])
  },
)

test('without any right nothing is answered that needs one, with every right everything', async () => {
  await server.security.removeAcls([{}])
  expect(await answersThatAreWrong(() => false)).toEqual([])
  await setRules(everythingOfEach())
  expect(await answersThatAreWrong(() => true)).toEqual([])
})

/** The APIs that are answered though they should be refused, or the other way round. */
async function answersThatAreWrong(has: (right: Right) => boolean): Promise<readonly string[]> {
  const wrong: string[] = []
  for (const [name, row] of rows) {
    const api: ApiDeclaration = apiNamed(name)
    const version = row.version ?? offered.get(api.key)
    if (version === undefined) continue
    const { topicId } = await prepare(name)
    const request = row.request(topicId) as Encodable<ApiDeclaration['request']>
    const response: unknown = await client.call(api, version, request)
    const isExpected = row.needs.some((all) => all.every(has))
    const isAnswered =
      row.shows === 'what is left out' ? showsSomething(response) : !isRefused(response)
    if (isAnswered !== isExpected) {
      wrong.push(`${name}: ${isAnswered ? 'answered' : 'refused'} ${JSON.stringify(response)}`)
    }
  }
  return wrong
}

/** What requests may have done away with is made again. */
async function prepare(name: ApiName): Promise<{ readonly topicId: string }> {
  const topics = await server.varve.listTopics()
  if (name === 'DeleteTopics' && !topics.includes('doomed'))
    await server.varve.createTopic('doomed')
  if (name === 'ListGroups') await commitSomething()
  return server.varve.describeTopic(names.topic)
}

/** So that there is a group to be seen, whatever the rules allow. */
async function commitSomething(): Promise<void> {
  if (!offered.has(offsetCommit.key)) return
  const before = server.security.listAcls()
  await setRules([everything('group'), everything('topic')])
  await client.call(offsetCommit, 8, {
    groupId: names.group,
    topics: [
      {
        name: names.topic,
        partitions: [{ partitionIndex: 0, committedOffset: 0, committedMetadata: '' }],
      },
    ],
  })
  await setRules(before)
}

async function setRules(acls: readonly Acl[]): Promise<void> {
  await server.security.removeAcls([{}])
  await server.security.addAcls(acls)
}

function isAllowedBy(granted: Right, asked: Right): boolean {
  const [operation, type] = granted.split(' ')
  const [askedOperation, askedType] = asked.split(' ')
  if (type !== askedType) return false
  return (
    operation === askedOperation ||
    (implied[askedOperation ?? '']?.includes(operation ?? '') ?? false)
  )
}

function rule(right: Right, permission: Acl['permission']): Acl {
  const [operation, resourceType] = right.split(' ') as [Acl['operation'], Acl['resourceType']]
  return { ...everything(resourceType), operation, permission }
}

function everything(resourceType: Acl['resourceType'] = 'transactionalId'): Acl {
  return {
    resourceType,
    resourceName: resourceType === 'cluster' ? names.cluster : '*',
    ...{
      pattern: 'literal',
      principal: 'User:*',
      host: '*',
      operation: 'all',
      permission: 'allow',
    },
  }
}

function everythingOfEach(): readonly Acl[] {
  return (['topic', 'group', 'cluster', 'transactionalId'] as const).map((type) => everything(type))
}

/** Whether any part of an answer says that it is not allowed. */
function isRefused(response: unknown): boolean {
  if (typeof response !== 'object' || response === null || Buffer.isBuffer(response)) return false
  return Object.entries(response).some(([name, value]) => {
    // Of a topic that was made, its settings may still not be told.
    const isCode = /errorCode$/i.test(name) && name !== 'topicConfigErrorCode'
    return (isCode && refusals.has(Number(value))) || isRefused(value)
  })
}

/** Whether a list in it has something. */
function showsSomething(response: unknown): boolean {
  return Object.values(response as object).some((value) => Array.isArray(value) && value.length > 0)
}
