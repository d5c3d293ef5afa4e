import type { ScramMechanism, SecurityListing, UserInfo } from '@varve/server'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { LineOutput, renderTable } from '../output.ts'
import { newPassword } from '../user/password.ts'
import { changeSecurity, lookAtSecurity } from '../user/security-home.ts'
import { UserExistsError, UserNotFoundError } from '../user/user-errors.ts'

/** Lists who can log in, and how. In a data directory it takes no lock, and changes nothing. */
export async function listUsers(
  { home, json }: { readonly home: Home; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const users = await lookAtSecurity(home, async (security) => security.listUsers())
  const lines = new LineOutput(io.stdout)
  if (json) for (const { name: user, credentials } of users) lines.json({ user, credentials })
  else if (users.length > 0) {
    const rows = users.map(({ name, credentials }) => [name, credentials.map(told).join(', ')])
    const columns = [{ title: 'USER' }, { title: 'MECHANISMS (ITERATIONS)' }]
    for (const line of renderTable(columns, rows)) lines.line(line)
  }
  await lines.flush()
  return exitCodes.fine
}

function told({ mechanism, iterations }: UserInfo['credentials'][number]): string {
  return `${mechanism} (${iterations})`
}

/** What every action of `varve user` on one user is told. */
export interface UserOptions {
  readonly user: string
  readonly home: Home
  /** None: all, or those that the user has. */
  readonly mechanisms: readonly ScramMechanism[]
  readonly json: boolean
}

export interface PasswordOptions extends UserOptions {
  /** Null: as many as the user has, or the usual. */
  readonly iterations: number | null
  /** Null: it is asked for, or stands in the input. */
  readonly passwordFile: string | null
}

/** Adds a user; the data directory is made when it is not there. */
export async function addUser(options: PasswordOptions, io: CommandIo): Promise<number> {
  const { user, mechanisms, iterations, passwordFile } = options
  const password = await newPassword(user, passwordFile, io)
  const made = await changeSecurity(options.home, async (security) => {
    if ((await find(security, user)) !== null) throw new UserExistsError(user)
    return security.addUser(user, password, given(mechanisms, iterations))
  })
  return say(options, io, `added, ${loginOf(made)}`, { credentials: made.credentials })
}

/** Gives a user another password; what it was not told otherwise stays as it is. */
export async function alterUser(options: PasswordOptions, io: CommandIo): Promise<number> {
  const { user, home, passwordFile } = options
  const before = await lookAtSecurity(home, (security) => find(security, user))
  if (before === null) throw new UserNotFoundError(user)
  const password = await newPassword(user, passwordFile, io)
  const altered = await changeSecurity(home, async (security) => {
    const { credentials } = before
    const named = options.mechanisms
    const mechanisms = named.length > 0 ? named : credentials.map(({ mechanism }) => mechanism)
    const iterations =
      options.iterations ?? Math.max(...credentials.map((credential) => credential.iterations))
    return security.addUser(user, password, given(mechanisms, iterations))
  })
  return say(options, io, `altered, ${loginOf(altered)}`, { credentials: altered.credentials })
}

export interface DeleteUserOptions extends UserOptions {
  /** Do it; else it is only said what would go. */
  readonly yes: boolean
}

/** Deletes a user, or some of its credentials; without `yes`, says what would go. */
export async function deleteUser(options: DeleteUserOptions, io: CommandIo): Promise<number> {
  const { user, home, yes, mechanisms } = options
  const found = await lookAtSecurity(home, (security) => find(security, user))
  if (found === null) throw new UserNotFoundError(user)
  const has = found.credentials.map(({ mechanism }) => mechanism)
  const gone = mechanisms.length === 0 ? has : has.filter((each) => mechanisms.includes(each))
  if (gone.length === 0) {
    throw new UserNotFoundError(user, `user '${user}' has no ${mechanisms.join(' and no ')}`)
  }
  if (yes) await changeSecurity(home, (security) => security.removeUser(user, gone))
  const what = gone.length === has.length ? 'the user' : gone.join(' and ')
  const text = yes
    ? `deleted${gone.length === has.length ? '' : `, ${what}`}`
    : `${what} would be deleted. Run it again with --yes.`
  return say(options, io, text, { deleted: yes, mechanisms: gone })
}

async function find(security: SecurityListing, user: string): Promise<UserInfo | null> {
  return (await security.listUsers()).find(({ name }) => name === user) ?? null
}

function given(mechanisms: readonly ScramMechanism[], iterations: number | null) {
  return {
    ...(mechanisms.length > 0 && { mechanisms }),
    ...(iterations !== null && { iterations }),
  }
}

function loginOf({ credentials }: UserInfo): string {
  return `logs in by ${credentials.map(told).join(', ')}`
}

async function say(
  { user, json }: UserOptions,
  io: CommandIo,
  text: string,
  document: object,
): Promise<number> {
  const lines = new LineOutput(io.stdout)
  if (json) lines.json({ user, ...document })
  else lines.line(`${user}: ${text}`)
  await lines.flush()
  return exitCodes.fine
}
