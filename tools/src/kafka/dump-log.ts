import { type JavaOptions, runJava } from './java-command.ts'
import type { KafkaRelease } from './kafka-release.ts'
import type { ProcessResult } from './run-process.ts'

export type DumpFlag =
  | '--deep-iteration'
  | '--print-data-log'
  | '--index-sanity-check'
  | '--verify-index-only'
  | '--skip-record-metadata'
  | '--offsets-decoder'
  | '--transaction-log-decoder'

/** Prints keys and values whole and unmistakably, as base64, instead of as text. */
export const base64Decoders: readonly string[] = Object.freeze([
  '--key-decoder-class',
  'Base64Decoder',
  '--value-decoder-class',
  'Base64Decoder',
])

const dumpTimeoutMs = 2 * 60_000

/**
 * Runs `kafka-dump-log` (DumpLogSegments). Its exit code says nothing about what it found: look at
 * stderr, and at what `parseDump` makes of stdout.
 */
export function dumpLog(
  release: KafkaRelease,
  files: readonly string[],
  flags: readonly (DumpFlag | string)[],
): Promise<ProcessResult> {
  // The tool moved from the broker's Scala to the tools' Java in the 4.x line.
  const mainClass =
    release.line === '3.9'
      ? 'kafka.tools.DumpLogSegments'
      : 'org.apache.kafka.tools.DumpLogSegments'
  const options: JavaOptions = { heapMegabytes: 512, logLevel: 'error' }
  const args = [...flags, '--files', files.join(',')]
  return runJava(release, mainClass, args, { ...options, timeoutMs: dumpTimeoutMs })
}
