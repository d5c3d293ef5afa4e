import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runProcess } from './run-process.ts'

export interface CompileOptions {
  readonly javac: string
  /** Class path to compile against. */
  readonly jars: string
  /** Directory of `.java` files, all of which are compiled. */
  readonly sources: string
  /** Directory under which the classes are kept. */
  readonly cache: string
}

const compileTimeoutMs = 2 * 60_000

/** Compiles our own Java programs, or finds them compiled, and says in which directory they are. */
export async function compileJava(options: CompileOptions): Promise<string> {
  const names = readdirSync(options.sources).filter((name) => name.endsWith('.java'))
  const paths = names.sort().map((name) => join(options.sources, name))
  const hash = createHash('sha256')
  for (const path of paths) hash.update(path).update(readFileSync(path))
  const classes = join(options.cache, `classes-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(classes)) return classes
  const work = `${classes}.${process.pid}.tmp`
  mkdirSync(work, { recursive: true })
  try {
    const args = ['-cp', options.jars, '-d', work, '-Xlint:all,-processing,-classfile', ...paths]
    const result = await runProcess(options.javac, args, { timeoutMs: compileTimeoutMs })
    if (result.exitCode !== 0) throw new Error(`javac fails:\n${result.stderr}`)
    if (!existsSync(classes)) renameSync(work, classes)
    return classes
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
