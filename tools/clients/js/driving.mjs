// What every client program here has in common: options in one JSON argument, one JSON object a
// line on standard output for each thing that happens, and an end when standard input ends.

import { createRequire } from 'node:module'
import { join } from 'node:path'

export const options = JSON.parse(process.argv[2] ?? '{}')

/** Loads a client from where it was installed, which is outside of the sources. */
export const clientModule = createRequire(
  join(process.env['VARVE_CLIENT_MODULES'] ?? '.', 'package.json'),
)

/** Resolves when whoever started this program wants it to end. */
export const stopped = new Promise((resolve) => {
  process.stdin.once('end', resolve).resume()
})

export function say(event, facts = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`)
}

/** The numbered values that a program is to send. */
export function values(prefix = 'record') {
  const { first = 0, count } = options
  return Array.from({ length: count }, (_, index) => `${prefix}-${first + index}`)
}

/** Whether it becomes true in ten seconds: a broker may see a change a moment after it. */
export async function isSoon(condition) {
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await condition().catch(() => false)) return true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return false
}

export async function run(verbs) {
  await verbs[options.verb]()
  say('done')
  process.exit(0)
}
