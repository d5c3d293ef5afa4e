import { isPackageSource } from './source-tree.ts'

export interface BannedThing {
  readonly what: string
  readonly pattern: RegExp
  readonly instead: string
  isAllowedIn(path: string): boolean
  /** Looked for in comments and strings too. */
  readonly inText?: boolean
}

const isOutsidePackages = (path: string): boolean => !isPackageSource(path)
/** The two that read clocks: the engine's, and the one that processes of a benchmark share. */
const isClock = (path: string): boolean =>
  path === 'packages/log/src/base/clock.ts' ||
  path === 'packages/bench/src/measuring/machine-clock.ts'
const isCommand = (path: string): boolean => path.startsWith('packages/cli/src/')

/** Files of the library that may talk to the machine's own file system. */
const nodeFileSystems: ReadonlySet<string> = new Set([
  'packages/log/src/storage/node-file-system.ts',
  'packages/log/src/storage/directory-lock.ts',
  'packages/log/src/storage/lock-holder.ts',
  'packages/log/src/storage/open-files-limit.ts',
  'packages/log/src/testing/temporary-directory.ts',
])

export const bannedThings: readonly BannedThing[] = [
  {
    what: 'the wall clock directly',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|\bprocess\.hrtime\b/,
    instead: 'take a Clock from whoever made you: clock.now() or clock.monotonic()',
    isAllowedIn: (path) => isOutsidePackages(path) || isCommand(path) || isClock(path),
  },
  {
    what: 'timers directly',
    pattern: /(?<![.\w])set(?:Timeout|Interval)\(/,
    instead: 'clock.setTimer()',
    isAllowedIn: (path) =>
      isOutsidePackages(path) || isCommand(path) || path === 'packages/log/src/base/clock.ts',
  },
  {
    what: 'the file system directly',
    pattern: /from 'node:fs(?:\/promises)?'/,
    instead: 'take a FileSystem from whoever made you; nodeFileSystem is the real one',
    isAllowedIn: (path) => isOutsidePackages(path) || isCommand(path) || nodeFileSystems.has(path),
    inText: true,
  },
  {
    what: 'Math.random',
    pattern: /\bMath\.random\b/,
    instead: 'an injected random(), or Random of @varve/log/testing with its seed printed',
    isAllowedIn: () => false,
  },
  {
    what: 'the console',
    pattern: /\bconsole\./,
    instead: 'a diagnostics channel in the library, CommandIo in commands, process.stdout in tests',
    isAllowedIn: (path) => /^(?:tools|benchmarks)\//.test(path),
  },
  {
    what: 'any',
    pattern: /[:<,(|&=]\s*any\b(?!\s*[:(=])|\bas any\b|\bany\[\]/,
    instead: 'unknown, and a check',
    isAllowedIn: () => false,
  },
  {
    what: 'export *',
    pattern: /\bexport\s*\*/,
    instead: 're-export by name: what is public is decided name by name',
    isAllowedIn: () => false,
  },
  {
    what: 'default exports',
    pattern: /\bexport\s+default\b/,
    instead: 'export by name',
    // Vitest asks for them in configurations and global set-ups.
    isAllowedIn: (path) =>
      path.endsWith('.config.ts') || /\/fetch-(?:beside|clients|kafka)\.ts$/.test(path),
  },
  {
    what: 'notes for later',
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    instead: 'do it, or open an issue',
    isAllowedIn: () => false,
    inText: true,
  },
  {
    what: 'comments that silence the compiler',
    pattern: /@ts-(?:ignore|expect-error|nocheck)\b/,
    instead: 'a type that is true',
    isAllowedIn: () => false,
    inText: true,
  },
  {
    what: 'the linter silenced without a reason',
    pattern: /biome-ignore [\w/]+(?::\s*$|(?!.*:))/m,
    instead: 'biome-ignore rule: why it is right here',
    isAllowedIn: () => false,
    inText: true,
  },
  {
    what: 'messages of assertions that are put together on every call',
    pattern: /\bassert(?:\.\w+)?\([^;{}]*?,\s*`[^`]*\$\{/,
    instead: 'a constant message; details go into an error made after the check has failed',
    isAllowedIn: isOutsidePackages,
  },
  {
    what: 'enums, namespaces and parameter properties',
    pattern: /^\s*(?:export\s+)?(?:const\s+)?enum\s|^\s*(?:export\s+)?namespace\s/m,
    instead: 'a union of literals, a module, a field',
    isAllowedIn: () => false,
  },
  {
    what: 'unencrypted links and private hosts',
    // Of the names of XML, which are no addresses, two are in use.
    pattern: /http:\/\/(?!localhost|127\.0\.0\.1|maven\.apache\.org\/POM|www\.w3\.org\/2000\/svg)/,
    instead: 'https://, of a host that everybody can reach',
    isAllowedIn: () => false,
    inText: true,
  },
  {
    what: "paths of somebody's machine",
    pattern: /(?<![\w.])\/(?:(?:work|root|Users)\/\w|home\/(?!varve\b))/,
    instead: 'a path from the repository, or os.tmpdir()',
    isAllowedIn: () => false,
    inText: true,
  },
]
