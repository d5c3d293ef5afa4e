import type { KafkaRelease } from './kafka-release.ts'
import { type ProcessResult, runProcess } from './run-process.ts'

export type LogLevel = 'off' | 'error' | 'warn' | 'info'

export interface JavaOptions {
  readonly heapMegabytes?: number
  /** What Kafka's loggers print to stderr. Default: errors. */
  readonly logLevel?: LogLevel
  /** Levels of single loggers, by class name. */
  readonly loggers?: Readonly<Record<string, LogLevel>>
  /**
   * `quick` is a small collector and the quick compiler, for programs that live for seconds, where
   * starting is what costs; `server` is what Kafka's own scripts set, for those that are measured.
   * Default: quick.
   */
  readonly tuning?: 'quick' | 'server'
}

/** Of `kafka-run-class`, but for the size of the heap. */
const serverTuning: readonly string[] = [
  '-server',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-Djava.awt.headless=true',
]
const quickTuning: readonly string[] = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']

/** Arguments of the `java` program. */
export function javaArguments(
  release: KafkaRelease,
  mainClass: string,
  args: readonly string[],
  options: JavaOptions = {},
): readonly string[] {
  const simpleLogger = '-Dorg.slf4j.simpleLogger'
  const loggers = Object.entries(options.loggers ?? {})
  const heap = `${options.heapMegabytes ?? 256}m`
  return [
    `-Xmx${heap}`,
    ...(options.tuning === 'server' ? [`-Xms${heap}`, ...serverTuning] : quickTuning),
    '-Dfile.encoding=UTF-8',
    `${simpleLogger}.defaultLogLevel=${options.logLevel ?? 'error'}`,
    ...loggers.map(([name, level]) => `${simpleLogger}.log.${name}=${level}`),
    '-cp',
    release.classpath,
    mainClass,
    ...args,
  ]
}

/** Runs a Java program to its end. */
export function runJava(
  release: KafkaRelease,
  mainClass: string,
  args: readonly string[],
  options: JavaOptions & { readonly timeoutMs: number; readonly input?: string },
): Promise<ProcessResult> {
  const all = javaArguments(release, mainClass, args, options)
  const { timeoutMs, input } = options
  return runProcess(release.java, all, { timeoutMs, ...(input !== undefined && { input }) })
}
