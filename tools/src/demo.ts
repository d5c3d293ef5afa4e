// `npm run demo`: appends real files durably in a child process, kills that process twice on the
// way, and proves that every acknowledged record is there; then compacts while reading goes on,
// restores a backup, and serves the directory to Kafka's clients. Leaves it to be played with.

import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { nodeFileSystem, openLogReadOnly, type ReadOnlyLog } from '@varve/log'
import { Random } from '@varve/log/testing'
import { type CompressionType, compress, NativeModuleError } from '@varve/record'
import { type AppendRun, appendAndKill } from './demo/append-and-kill.ts'
import { type CompactionProof, compactAndProve } from './demo/compact.ts'
import { demoCorpus, partition, repositoryRoot, topic } from './demo/demo-settings.ts'
import { Ledger } from './demo/ledger.ts'
import { type Proof, prove } from './demo/prove.ts'
import { type RestoreProof, restoreAndProve } from './demo/restore.ts'
import { count, heading, mebibytes, milliseconds, print, seconds, styled } from './demo/screen.ts'
import { type ServeProof, serveAndProve } from './demo/serve.ts'

const kills = 2
/** Says that a directory is this demo's own, to be emptied when it runs again. */
const markerName = 'varve-demo.json'

const { values } = parseArgs({
  options: { data: { type: 'string' }, seed: { type: 'string' } },
})
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed)
if (!Number.isSafeInteger(seed)) fail('--seed must be an integer')
await demo(values.data ?? join(repositoryRoot, 'demo-data'), seed)

async function demo(data: string, seed: number): Promise<void> {
  const startedMs = performance.now()
  const corpus = demoCorpus()
  const corpusBytes = corpus.reduce((total, { sizeBytes }) => total + sizeBytes, 0)
  await prepareDirectory(data, corpusBytes, seed)
  const below = relative(process.cwd(), data)
  const shown = below.startsWith('..') || below === '' ? data : below
  const logPath = join(data, `${topic}-${partition}`)

  print(styled('bold', 'Varve: append durably, get killed, recover, prove it'))
  print(
    styled(
      'dim',
      `Node ${process.versions.node}, ${cpus().length} × ${cpus()[0]?.model}, seed ${seed}`,
    ),
  )

  heading('1. Append the files of the installed dependencies, and be killed while doing it')
  const compressionType = usableCodec()
  print(
    `  ${count(corpus.length)} files, ${mebibytes(corpusBytes)}: path as key, content as value, ` +
      `${compressionType}`,
  )
  print('  each acknowledged when fdatasync has returned; up to 64 under way')
  const ledger = new Ledger()
  const run = await appendAndKill({
    ...{ corpus, ledger, kills, random: new Random(seed) },
    writer: { data, compressionType },
  })

  heading('2. Is everything there that was acknowledged?')
  await using log = await openLogReadOnly(logPath)
  const provingMs = performance.now()
  const proof = await prove(log, ledger, corpus)
  const provedMs = performance.now() - provingMs
  explainProof(proof, ledger)

  heading('3. What the directory holds')
  runVarve('inspect', shown)
  heading('4. Is all of it sound?')
  runVarve('verify', shown)
  heading('5. Read by time')
  await explainTimestamp(log, run)
  heading('6. Rates')
  explainRates({ run, ledger, proof, provedMs, corpusBytes })

  heading('7. The same files again, changed and deleted; then compaction, while reading goes on')
  explainCompaction(await compactAndProve(data, corpus, compressionType))
  runVarve('verify', shown)

  heading('8. A backup, more records, another backup; destroyed, and restored to a point between')
  const backups = `${data}-backups`
  explainRestore(await restoreAndProve(data, backups, corpus))
  markAsOurs(data, seed)
  runVarve('verify', shown)

  heading(
    '9. Served to Kafka’s clients: records sent over the network, the server killed on the way',
  )
  explainServing(await serveAndProve(data), shown)

  heading('10. What this disk gives: records of 100 bytes, each acknowledged when it is flushed')
  const size = ['--record-size', '100', '--warmup', '1', '--duration', '2']
  runVarve('bench', 'produce', '--data', dirname(shown), ...size)
  explainNext(shown, corpus[Math.floor(corpus.length / 2)]?.key ?? '')
  print(styled('dim', `All of this took ${seconds(performance.now() - startedMs)}.`))
}

async function prepareDirectory(data: string, corpusBytes: number, seed: number): Promise<void> {
  if (existsSync(data) && readdirSync(data).length > 0) {
    if (!existsSync(join(data, markerName))) {
      fail(`${data} is not empty, and not a directory that this demo has made`)
    }
    rmSync(data, { recursive: true })
  }
  mkdirSync(data, { recursive: true })
  const free = await nodeFileSystem.freeBytes(data)
  if (free < 2 * corpusBytes) {
    fail(`${mebibytes(free)} are free at ${data}; the demo needs ${mebibytes(2 * corpusBytes)}`)
  }
  markAsOurs(data, seed)
}

/** So that the next run may empty it. A restored directory is a new one. */
function markAsOurs(data: string, seed: number): void {
  writeFileSync(join(data, markerName), `${JSON.stringify({ seed })}\n`)
}

/** LZ4 is quick, and source files shrink to a third; where it cannot be loaded, it can be done
 * without. */
function usableCodec(): CompressionType {
  try {
    compress('lz4', Buffer.alloc(1))
    return 'lz4'
  } catch (error) {
    if (error instanceof NativeModuleError) return 'none'
    throw error
  }
}

function explainProof({ proved, unacknowledged, bytes }: Proof, ledger: Ledger): void {
  print(`  ${styled('green', '✓')} ${count(ledger.count)} records were acknowledged`)
  print(`  ${styled('green', '✓')} ${count(proved)} are there, key and SHA-256 the same`)
  print(`  ${styled('green', '✓')} none missing, none twice, none out of order`)
  if (unacknowledged > 0) {
    print(`    ${count(unacknowledged)} more reached the disk before the writer could say so`)
  }
  print(styled('dim', `    (${mebibytes(bytes)} read back; this process kept the ledger)`))
}

function explainRestore(proof: RestoreProof): void {
  const { full, added, incremental, restored, end, compared } = proof
  const rate = (bytes: number, durationMs: number): string =>
    `${mebibytes(bytes)} in ${seconds(durationMs)}`
  const { figures } = full
  print(`  full backup, encrypted: ${rate(figures.readBytes, figures.durationMs)} read and checked`)
  print(`    ${mebibytes(figures.newBytes)} stored`)
  print(`  ${count(added)} records more, and an incremental backup of what is new`)
  const second = incremental.figures
  print(
    `    ${rate(second.readBytes, second.durationMs)} read, ${mebibytes(second.newBytes)} stored`,
  )
  print('  the partition was destroyed')
  print(`  restored to before offset ${end}: ${rate(restored.totalBytes, restored.durationMs)}`)
  print(`  ${styled('green', '✓')} ${count(compared)} records compared, each is what it was`)
  print(`  ${styled('green', '✓')} none of those after that point is there`)
}

function explainServing(proof: ServeProof, shown: string): void {
  const { startMs, restartMs, records, sendingMs } = proof
  print(styled('dim', `  $ npx varve serve --data ${shown}`))
  print(
    `  served ${milliseconds(startMs)} after its start, ${milliseconds(restartMs)} after it was killed`,
  )
  print(
    `  ${count(records)} records sent in ${seconds(sendingMs)}, each acknowledged when it was flushed`,
  )
  print(`  ${styled('green', '✓')} a group read every one of them, none twice`)
}

function runVarve(...args: readonly string[]): void {
  print(styled('dim', `  $ npx varve ${args.join(' ')}`))
  const command = join(repositoryRoot, 'packages', 'varve', 'bin', 'varve.js')
  const { status } = spawnSync(process.execPath, [command, ...args], { stdio: 'inherit' })
  if (status !== 0) fail(`varve ${args.join(' ')} ended with exit code ${status}`)
}

async function explainTimestamp(log: ReadOnlyLog, { killedAt }: AppendRun): Promise<void> {
  const startedMs = performance.now()
  const found = await log.offsetForTimestamp(killedAt)
  const tookMs = performance.now() - startedMs
  const at = new Date(killedAt).toISOString()
  if (found === null) {
    print(`  No record is as late as the second kill, at ${at}.`)
    return
  }
  const { batches } = await log.read({ from: found.offset })
  for (const batch of batches) {
    for (const record of batch.records()) {
      if (record.offset !== found.offset) continue
      print(`  The first record after the second kill, at ${at}:`)
      print(`  offset ${count(found.offset)}, ${record.key}, found in ${milliseconds(tookMs)}`)
      return
    }
  }
}

interface Rates {
  readonly run: AppendRun
  readonly ledger: Ledger
  readonly proof: Proof
  readonly provedMs: number
  readonly corpusBytes: number
}

function explainRates({ run, ledger, proof, provedMs, corpusBytes }: Rates): void {
  const { appendingMs, flushes } = run
  const rate = (number: number, ms: number): number => Math.round((number * 1000) / ms)
  print(
    `  durable appends   ${count(rate(ledger.count, appendingMs))} records/s, ` +
      `${mebibytes(rate(corpusBytes, appendingMs))}/s, each with a promise of its own`,
  )
  print(
    `  acknowledged in   ${milliseconds(ledger.latencyMs(0.5))} (half of them), ` +
      `${milliseconds(ledger.latencyMs(0.99))} (99 of 100)`,
  )
  const group = (ledger.count / Math.max(flushes, 1)).toFixed(1)
  print(`  group commit      ${count(flushes)} flushes, each for ${group} records on average`)
  print(
    `  reading back      ${count(rate(proof.proved, provedMs))} records/s, ` +
      `${mebibytes(rate(proof.bytes, provedMs))}/s, every CRC and every SHA-256 checked`,
  )
  print(
    styled('dim', '  Files were read and hashed meanwhile: npm run bench measures the log alone.'),
  )
}

function explainCompaction(proof: CompactionProof): void {
  const { changed, deleted, same, beforeBytes, afterBytes, compactingMs } = proof
  print(
    `  ${count(changed)} files sent changed, ${count(deleted)} deleted, ${count(same)} as before`,
  )
  print(
    `  ${mebibytes(beforeBytes)} before, ${mebibytes(afterBytes)} after, in ${seconds(compactingMs)}; ` +
      `${count(proof.readMeanwhile)} records were read meanwhile`,
  )
  print(`  ${styled('green', '✓')} ${count(proof.left)} keys have a value, each its latest`)
  print(`  ${styled('green', '✓')} no value that was replaced or deleted is left; what was deleted`)
  print('    is still said for a day, so that every consumer hears of it')
}

function explainNext(shown: string, key: string): void {
  heading(`Try next, on ${shown}`)
  const commands = [
    `npx varve consume ${topic} --data ${shown} --max 3 --format json | cut -c1-120`,
    `npx varve dump ${shown}/${topic}-${partition} --records --max 5`,
    `npx varve inspect ${shown} --json`,
    `echo hello | npx varve produce greetings --data ${shown}`,
    `npx varve consume greetings --data ${shown} --follow   # and produce in another window`,
    `npx varve serve --data ${shown} --ui   # for any Kafka client, and a page to look at`,
  ]
  for (const command of commands) print(`  ${command}`)
  print(styled('dim', `  Or damage a byte of a .log file, and ask npx varve verify ${shown}.`))
  if (key !== '') print(styled('dim', `  A key to look for: ${key}`))
  print()
}

function fail(message: string): never {
  process.stderr.write(`demo: ${message}\n`)
  process.exit(1)
}
