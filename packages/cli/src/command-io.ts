import type { Clock } from '@varve/log'
import { VarveError } from '@varve/record'

/**
 * What a command has of the world around it, so that it runs the same in a terminal, in a pipe and
 * in a test. A command returns its exit code and throws what it cannot handle; it never touches
 * `process` and never prints an error itself.
 */
export interface CommandIo {
  readonly stdin: Input
  /** Results, and nothing else. */
  readonly stdout: Output
  /** Progress and remarks. */
  readonly stderr: Output
  /** Aborted when the user wants the command to end: Ctrl-C, or a polite kill. */
  readonly signal: AbortSignal
  readonly clock: Clock
  /**
   * Asks for a line, which is not shown as it is typed; where the input is a terminal. Rejects with
   * InterruptedError when the user gives up.
   */
  readSecret(question: string): Promise<string>
  /**
   * Calls back whenever the user wants files to be read again (SIGHUP), until what it returns is
   * called; who does not ask for it is ended by that signal.
   */
  onHangUp(callback: () => void): () => void
}

export interface Input {
  readonly isTerminal: boolean
  /** The bytes as they come, to be read once. Ends early when the command's signal is aborted. */
  chunks(): AsyncIterable<Uint8Array>
}

export interface Output {
  /** Whether a person is looking: then progress may be redrawn in place. */
  readonly isTerminal: boolean
  /** Characters that fit a line. */
  readonly columns: number
  /**
   * Resolves when there is room for more. Rejects with ClosedPipeError once nobody reads what is
   * written (`| head`): the command stops there, and that is no failure.
   */
  write(text: string | Uint8Array): Promise<void>
}

/** What the exit codes of every command mean. */
export const exitCodes = {
  fine: 0,
  /** The command did what it was asked, and what it looked at is not as it should be. */
  findings: 1,
  usage: 2,
  failure: 3,
} as const

/** Whoever read the output has gone. Ends a command, without a word. */
export class ClosedPipeError extends VarveError {
  readonly code = 'VARVE_CLOSED_PIPE'

  constructor(cause: unknown) {
    super('the output was closed', { cause })
  }
}

/** The arguments are not those of a verb. Its hint says where they are explained. */
export class UsageError extends VarveError {
  readonly code = 'VARVE_USAGE'

  constructor(message: string, hint: string) {
    super(message, { hint })
  }
}

/** The user ended a command before it had an answer. */
export class InterruptedError extends VarveError {
  readonly code = 'VARVE_INTERRUPTED'

  constructor(message = 'interrupted before it was done') {
    super(message)
  }
}

/** Throws InterruptedError once the user has asked for the end. */
export function throwIfInterrupted(io: CommandIo): void {
  if (io.signal.aborted) throw new InterruptedError()
}
