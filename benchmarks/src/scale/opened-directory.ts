import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Sample } from '../harness/contest.ts'
import type { OpenedFacts } from './opening-process.ts'

const entryPath = fileURLToPath(new URL('./opening-process.js', import.meta.url))
const execute = promisify(execFile)

/** A data directory opened by a process of its own, which tells what that took. */
export async function openElsewhere(path: string): Promise<OpenedFacts> {
  const { stdout } = await execute(process.execPath, ['--expose-gc', entryPath, path])
  return JSON.parse(stdout) as OpenedFacts
}

/** Time of opening, in ms. */
export async function openingTime(path: string): Promise<Sample> {
  const { openMs, hash } = await openElsewhere(path)
  return { value: openMs, hash }
}

/** Resident memory that being open takes, in KiB; at least one. */
export async function openingMemory(path: string): Promise<Sample> {
  const { residentKiB, hash } = await openElsewhere(path)
  return { value: Math.max(1, residentKiB), hash }
}
