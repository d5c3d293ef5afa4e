import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Gives a stopped broker's partition other files: all that lie in `source`. The topic must exist
 * (a broker sets directories aside that its metadata does not know), and its identity stays.
 */
export function replacePartition(dataDirectory: string, topic: string, source: string): void {
  const target = join(dataDirectory, `${topic}-0`)
  for (const name of readdirSync(target)) {
    if (name !== identityName) rmSync(join(target, name), { recursive: true })
  }
  for (const name of readdirSync(source)) {
    if (name !== identityName) copyFileSync(join(source, name), join(target, name))
  }
}

/** Makes a stopped broker recover every log from its first byte when it starts again. */
export function forgetCleanShutdown(dataDirectory: string): void {
  rmSync(join(dataDirectory, '.kafka_cleanshutdown'), { force: true })
  rmSync(join(dataDirectory, 'recovery-point-offset-checkpoint'), { force: true })
}

/** Holds the topic's id. */
const identityName = 'partition.metadata'
