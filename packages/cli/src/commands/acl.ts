import type { Acl } from '@varve/server'
import {
  aclsOf,
  type FilterArguments,
  filtersOf,
  type RuleArguments,
} from '../acl/acl-arguments.ts'
import type { Home } from '../cluster/home.ts'
import { type CommandIo, exitCodes } from '../command-io.ts'
import { formatAmount } from '../human.ts'
import { LineOutput, renderTable } from '../output.ts'
import { changeSecurity, lookAtSecurity } from '../user/security-home.ts'

export interface AclOptions {
  readonly home: Home
  readonly json: boolean
}

const firstRules =
  'These are the first rules: what none allows is denied from now on, to all but super users.\n' +
  'Where there is none, they can be removed by varve acl remove --data once the server is stopped.\n'

/** Lists access rules. In a data directory it takes no lock, and changes nothing. */
export async function listAcls(
  { home, json, ...given }: AclOptions & FilterArguments,
  io: CommandIo,
): Promise<number> {
  const filters = filtersOf(given)
  const found = await lookAtSecurity(home, async (security) => {
    const acls: Acl[] = []
    for (const filter of filters) acls.push(...(await security.listAcls(filter)))
    return acls
  })
  const lines = new LineOutput(io.stdout)
  print(lines, found, json)
  await lines.flush()
  return exitCodes.fine
}

/** Adds access rules, all or none; those that are there stay. */
export async function addAcls(
  { home, json, ...given }: AclOptions & RuleArguments,
  io: CommandIo,
): Promise<number> {
  const acls = aclsOf(given)
  const areFirst = await changeSecurity(home, async (security) => {
    const before = await security.listAcls()
    await security.addAcls(acls)
    return before.length === 0
  })
  if (areFirst) {
    await io.stderr.write(firstRules)
  }
  const lines = new LineOutput(io.stdout)
  print(lines, acls, json)
  if (!json) lines.line(`${formatAmount(acls.length, 'rule')} added`)
  await lines.flush()
  return exitCodes.fine
}

export interface RemoveAclOptions extends AclOptions, FilterArguments {
  /** Do it; else it is only shown what would go. */
  readonly yes: boolean
}

/** Removes the access rules that are meant; without `yes`, shows them. */
export async function removeAcls(
  { home, json, yes, ...given }: RemoveAclOptions,
  io: CommandIo,
): Promise<number> {
  const filters = filtersOf(given)
  const found = yes
    ? await changeSecurity(home, (security) => security.removeAcls(filters))
    : await lookAtSecurity(home, async (security) => {
        const acls: Acl[] = []
        for (const filter of filters) acls.push(...(await security.listAcls(filter)))
        return acls
      })
  const lines = new LineOutput(io.stdout)
  print(lines, found, json)
  const count = formatAmount(unique(found).length, 'rule')
  if (!json) lines.line(yes ? `${count} removed` : `${count} would go. Run it again with --yes.`)
  await lines.flush()
  return exitCodes.fine
}

/** What several filters have matched stands there once. */
function unique(acls: readonly Acl[]): readonly Acl[] {
  const rowed = acls.map((acl) => [JSON.stringify(rowOf(acl)), acl] as const)
  return [...new Map(rowed).values()].sort(inOrder)
}

function print(lines: LineOutput, acls: readonly Acl[], json: boolean): void {
  const all = unique(acls)
  if (json) {
    for (const acl of all) lines.json(acl)
    return
  }
  if (all.length === 0) return
  const titles = ['PRINCIPAL', 'HOST', 'PERMISSION', 'OPERATION', 'RESOURCE', 'NAME', 'PATTERN']
  const columns = titles.map((title) => ({ title }))
  for (const line of renderTable(columns, all.map(rowOf))) lines.line(line)
}

function rowOf(acl: Acl): readonly string[] {
  const { principal, host, permission, operation, resourceType, resourceName, pattern } = acl
  return [principal, host, permission, operation, resourceType, resourceName, pattern]
}

/** By resource, then by who. */
function inOrder(one: Acl, other: Acl): number {
  const keyOf = ({ resourceType, resourceName, principal, operation }: Acl): string => {
    return JSON.stringify([resourceType, resourceName, principal, operation])
  }
  return keyOf(one) < keyOf(other) ? -1 : 1
}
