import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { LogDirectory } from '../../src/log-directory.ts'
import { Random } from '../../src/testing/random.ts'
import { makeTemporaryDirectory } from '../../src/testing/temporary-directory.ts'
import { KillLedger } from './kill-ledger.ts'

export interface KillCounts {
  readonly kills: number
  readonly acknowledgements: number
  readonly compactions: number
  readonly deletions: number
  readonly records: number
}

const appender = fileURLToPath(new URL('./appender.mjs', import.meta.url))
/** How long a process works before it is killed, at most. */
const workMsMax = 250

/**
 * Lets a process work on a log and kills it with SIGKILL at a random moment, again and again; after
 * each time the log is opened, recovered and compared with what was acknowledged. Needs compiled
 * code. Throws at the first difference.
 */
export async function killAgainAndAgain(kills: number, seed: number): Promise<KillCounts> {
  using temporary = makeTemporaryDirectory()
  const path = `${temporary.path}/data`
  const random = new Random(seed)
  const ledger = new KillLedger()
  let records = 0
  for (let life = 0; life < kills; life += 1) {
    await workUntilKilled(path, life, random, (line) => ledger.note(life, line))
    const directory = await LogDirectory.open(path)
    try {
      const found = await ledger.compare(directory.log('t', 0))
      records = found.records
      if (found.problems.length > 0) {
        const some = found.problems.slice(0, 10).join('; ')
        throw new Error(`VARVE_SEED=${seed}, after ${life + 1} kills: ${some}`)
      }
    } finally {
      await directory.close()
    }
  }
  const { acknowledgements, compactions, deletions } = ledger
  return { kills, acknowledgements, compactions, deletions, records }
}

/** Resolves when the process is dead and everything that it said was read. */
async function workUntilKilled(
  path: string,
  life: number,
  random: Random,
  note: (line: string) => void,
): Promise<void> {
  const args = [appender, path, String(life), String(random.next())]
  // Without the flags of this process, which would have it load TypeScript.
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  })
  let complaint = ''
  child.stderr.on('data', (bytes: Buffer) => {
    complaint += String(bytes)
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_code, signal) => resolve(signal))
  })
  const workMs = random.int(workMsMax)
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => {
    note(line)
    if (line.startsWith('opened')) setTimeout(() => child.kill('SIGKILL'), workMs)
  })
  const signal = await ended
  if (signal !== 'SIGKILL') throw new Error(`the process ended by itself: ${complaint}`)
}
