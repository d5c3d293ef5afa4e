import type { Logger } from '@varve/broker'
import type { Clock } from '@varve/log'
import { VarveError } from '@varve/record'
import type { Output } from '../command-io.ts'

type Level = 'debug' | 'info' | 'warn' | 'error'

export interface LogLinesOptions {
  readonly clock: Clock
  /** One JSON object a line; else lines for people. */
  readonly json: boolean
  /** Debug lines too. */
  readonly verbose: boolean
}

/** Waiting for a slow reader at most, in characters; what is said beyond it is counted only. */
const waitingMax = 2 ** 20

/**
 * What a server says, as lines. Never waits: where nobody reads fast enough, lines are dropped, and
 * how many is said once there is room.
 */
export class LogLines implements Logger {
  readonly #output: Output
  readonly #options: LogLinesOptions
  #waiting = 0
  #dropped = 0
  #isClosed = false

  constructor(output: Output, options: LogLinesOptions) {
    this.#output = output
    this.#options = options
  }

  debug(fields: object, message: string): void {
    if (this.#options.verbose) this.#say('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#say('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#say('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#say('error', fields, message)
  }

  #say(level: Level, fields: object, message: string): void {
    if (this.#isClosed) return
    if (this.#waiting > waitingMax) {
      this.#dropped += 1
      return
    }
    if (this.#dropped > 0) {
      const lines = this.#dropped
      this.#dropped = 0
      this.#write(this.#line('warn', { lines }, 'lines were dropped: nobody read them'))
    }
    this.#write(this.#line(level, fields, message))
  }

  #line(level: Level, fields: object, message: string): string {
    const time = new Date(this.#options.clock.now()).toISOString()
    const told = Object.entries(fields).map(([name, value]) => [name, toldValue(value)] as const)
    if (this.#options.json) {
      return `${JSON.stringify({ time, level, msg: message, ...Object.fromEntries(told) })}\n`
    }
    const details = told.map(([name, value]) => ` ${name}=${shown(value)}`).join('')
    return `${time} ${level.padEnd(5)} ${message}${details}\n`
  }

  #write(line: string): void {
    this.#waiting += line.length
    this.#output.write(line).then(
      () => {
        this.#waiting -= line.length
      },
      () => {
        // Nobody reads any more; a server goes on without.
        this.#isClosed = true
      },
    )
  }
}

/** Errors say more than JSON makes of them. The stack is for those that nobody foresaw. */
function toldValue(value: unknown): unknown {
  if (!(value instanceof Error)) return value
  const code = 'code' in value && typeof value.code === 'string' ? value.code : undefined
  const isForeseen = value instanceof VarveError || 'syscall' in value
  return {
    ...(code !== undefined && { code }),
    message: value.message,
    ...(!isForeseen && { stack: value.stack }),
  }
}

function shown(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value) ?? 'undefined'
  return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value)
}
