import type { Argv } from 'yargs'
import { type Choose, flag, homeOf, texts, withHome, withJson } from './verb-options.ts'

const patterns = ['any', 'match', 'literal', 'prefixed'] as const

export function addAclVerb(parser: Argv, choose: Choose): void {
  parser.command('acl <action>', 'Say what users of a server may do', (verb) => {
    const actions = withJson(verb)
      .example('$0 acl list --data ./data', '')
      .example(
        '$0 acl add --data ./data --allow-principal User:alice --operation Read --topic orders',
        '',
      )
      .epilogue(
        'Options are those of Kafka’s kafka-acls. A name of * stands for all. From the first rule ' +
          'on, what none allows is denied to all but super users; a rule that denies weighs more ' +
          'than any that allow. docs/security.md says which request needs which right.',
      )
      .demandCommand(1, 'Which action? One of list, add, remove.')
    addList(actions, choose)
    addAdd(actions, choose)
    addRemove(actions, choose)
    return actions
  })
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list',
    'List access rules',
    (verb) =>
      withRules(withHome(verb), 'match')
        .option('principal', principal)
        .example('$0 acl list --data ./data --topic orders', '')
        .example('$0 acl list --bootstrap-server localhost:9092 --principal User:alice', ''),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { listAcls } = await import('../commands/acl.ts')
        const { json, principal } = given
        return listAcls({ home, json, principal, ...rulesOf(given) }, io)
      }),
  )
}

function addAdd(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'add',
    'Add access rules: each principal, host and operation, for each resource',
    (verb) =>
      withRules(withHome(verb), 'literal')
        .example(
          '$0 acl add --data ./data --allow-principal User:billing --consumer --topic orders --group billing',
          '',
        )
        .example(
          '$0 acl add --data ./data --allow-principal User:shop --producer --topic shop. --resource-pattern-type prefixed',
          '',
        )
        .example(
          "$0 acl add --bootstrap-server localhost:9092 --deny-principal 'User:*' --deny-host 10.0.0.7 --topic '*'",
          '',
        ),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { addAcls } = await import('../commands/acl.ts')
        return addAcls({ home, json: given.json, ...rulesOf(given) }, io)
      }),
  )
}

function addRemove(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'remove',
    'Remove access rules: what is not given is any',
    (verb) =>
      withRules(withHome(verb), 'literal')
        .option('principal', principal)
        .option('yes', { ...flag, describe: 'Do it; else it is only shown what would go' })
        .example('$0 acl remove --data ./data --principal User:alice --yes', '')
        .example('$0 acl remove --data ./data --topic orders --operation Write --yes', ''),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { removeAcls } = await import('../commands/acl.ts')
        const { json, yes, principal } = given
        return removeAcls({ home, json, yes, principal, ...rulesOf(given) }, io)
      }),
  )
}

const principal = {
  ...texts,
  describe: 'Whatever it is allowed or denied; more than once',
} as const

function withRules<T>(verb: Argv<T>, pattern: (typeof patterns)[number]) {
  return verb
    .option('topic', { ...texts, describe: 'Of these topics' })
    .option('group', { ...texts, describe: 'Of these groups' })
    .option('transactional-id', { ...texts, describe: 'Of these transactional ids' })
    .option('user-principal', { ...texts, describe: 'Of these users' })
    .option('delegation-token', { ...texts, describe: 'Of these delegation tokens' })
    .option('cluster', { ...flag, describe: 'Of the server itself' })
    .option('resource-pattern-type', {
      choices: patterns,
      default: pattern,
      describe: 'Names as they are, or what names begin with; match: all that apply to the name',
    })
    .option('operation', {
      ...texts,
      describe: 'Read, Write, Create, Delete, Alter, Describe, …; All where none is given',
    })
    .option('allow-principal', { ...texts, describe: 'Who may: User:NAME, or User:*' })
    .option('deny-principal', { ...texts, describe: 'Who may not' })
    .option('allow-host', { ...texts, describe: 'From which addresses  [*]' })
    .option('deny-host', { ...texts, describe: 'From which not  [*]' })
    .option('producer', { ...flag, describe: 'What a producer needs, for --topic' })
    .option('idempotent', { ...flag, describe: 'With --producer: for clients before 2.8' })
    .option('consumer', { ...flag, describe: 'What a consumer needs, for --topic and --group' })
}

interface GivenRules {
  readonly topic: string[]
  readonly group: string[]
  readonly 'transactional-id': string[]
  readonly 'user-principal': string[]
  readonly 'delegation-token': string[]
  readonly cluster: boolean
  readonly 'resource-pattern-type': (typeof patterns)[number]
  readonly operation: string[]
  readonly 'allow-principal': string[]
  readonly 'deny-principal': string[]
  readonly 'allow-host': string[]
  readonly 'deny-host': string[]
  readonly producer: boolean
  readonly idempotent: boolean
  readonly consumer: boolean
}

function rulesOf(given: GivenRules) {
  const { topic, group, cluster, operation, producer, idempotent, consumer } = given
  return {
    ...{ topic, group, cluster, operation, producer, idempotent, consumer },
    transactionalId: given['transactional-id'],
    userPrincipal: given['user-principal'],
    delegationToken: given['delegation-token'],
    pattern: given['resource-pattern-type'],
    allowPrincipal: given['allow-principal'],
    denyPrincipal: given['deny-principal'],
    allowHost: given['allow-host'],
    denyHost: given['deny-host'],
  }
}
