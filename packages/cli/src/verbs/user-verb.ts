import type { Argv } from 'yargs'
import { type Choose, flag, homeOf, number, text, withHome, withJson } from './verb-options.ts'

const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

export function addUserVerb(parser: Argv, choose: Choose): void {
  parser.command('user <action>', 'Say who can log in at a server, and how', (verb) => {
    const actions = withJson(verb)
      .example('$0 user add alice --data ./data', '')
      .example('$0 user list --bootstrap-server localhost:9092', '')
      .epilogue(
        'A password is asked for at a terminal; else it is the first line of the input, or of ' +
          '--password-file. What is kept of it is what Kafka keeps: salt, iterations and keys. A ' +
          'directory that is served is changed through its server; nobody else can have it open. ' +
          'docs/security.md says what users are.',
      )
      .demandCommand(1, 'Which action? One of list, add, alter, delete.')
    addList(actions, choose)
    addAdd(actions, choose)
    addAlter(actions, choose)
    addDelete(actions, choose)
    return actions
  })
}

function addList(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'list',
    'List the users, and how they log in',
    (verb) => withHome(verb).example('$0 user list --data ./data', ''),
    (given) =>
      choose(async (io) => {
        const home = homeOf(given)
        const { listUsers } = await import('../commands/user.ts')
        return listUsers({ home, json: given.json }, io)
      }),
  )
}

function addAdd(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'add <user>',
    'Add a user',
    (verb) =>
      withPassword(verb)
        .example('$0 user add alice --data ./data', '')
        .example('$0 user add alice --data ./data --password-file alice.secret', '')
        .example('$0 user add alice --bootstrap-server localhost:9092 < alice.secret', ''),
    (given) =>
      choose(async (io) => {
        const options = passwordOptions(given)
        const { addUser } = await import('../commands/user.ts')
        return addUser(options, io)
      }),
  )
}

function addAlter(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'alter <user>',
    'Give a user another password',
    (verb) => withPassword(verb).example('$0 user alter alice --data ./data', ''),
    (given) =>
      choose(async (io) => {
        const options = passwordOptions(given)
        const { alterUser } = await import('../commands/user.ts')
        return alterUser(options, io)
      }),
  )
}

function addDelete(parser: Argv<{ json: boolean }>, choose: Choose): void {
  parser.command(
    'delete <user>',
    'Delete a user, or by which mechanisms it logs in',
    (verb) =>
      withUser(verb)
        .option('yes', { ...flag, describe: 'Do it; else it is only said what would go' })
        .example('$0 user delete alice --data ./data --yes', ''),
    (given) =>
      choose(async (io) => {
        const { user, json, yes, mechanism } = given
        const home = homeOf(given)
        const { deleteUser } = await import('../commands/user.ts')
        return deleteUser({ user, home, json, yes, mechanisms: mechanismsOf(mechanism) }, io)
      }),
  )
}

function withUser<T>(verb: Argv<T>) {
  return withHome(verb)
    .positional('user', { type: 'string', demandOption: true, describe: 'Name of the user' })
    .option('mechanism', {
      array: true,
      choices: mechanisms,
      describe: 'By which it logs in, beside PLAIN; more than once  [both]',
    })
}

function withPassword<T>(verb: Argv<T>) {
  return withUser(verb)
    .option('password-file', { ...text, describe: 'A file with the password, first line' })
    .option('iterations', {
      ...number,
      describe: 'How much work a guess shall be, 4096 to 16384  [8192]',
    })
}

function passwordOptions(
  given: Parameters<typeof homeOf>[0] & {
    readonly user: string
    readonly json: boolean
    readonly mechanism: readonly string[] | undefined
    readonly iterations: number | undefined
    readonly 'password-file': string | undefined
  },
) {
  const { user, json, iterations = null, 'password-file': passwordFile = null } = given
  const home = homeOf(given)
  return { user, home, json, iterations, passwordFile, mechanisms: mechanismsOf(given.mechanism) }
}

function mechanismsOf(given: readonly string[] | undefined) {
  return (given ?? []) as readonly (typeof mechanisms)[number][]
}
