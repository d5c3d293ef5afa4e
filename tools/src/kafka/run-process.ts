import { spawn } from 'node:child_process'

export interface ProcessResult {
  readonly stdout: string
  readonly stderr: string
  /** Null when a signal ended the process. */
  readonly exitCode: number | null
  /** Whether it was killed because it ran longer than it was given. */
  readonly timedOut: boolean
}

export interface RunOptions {
  /** After this long the process is killed. */
  readonly timeoutMs: number
  readonly cwd?: string
  /** Beside this process's own. */
  readonly environment?: Readonly<Record<string, string>>
  /** What it reads on standard input. Default: nothing. */
  readonly input?: string
}

/** Output beyond this is a program gone wild; the process is killed. */
const outputCharsMax = 256 * 2 ** 20

/**
 * Runs a program to its end and collects what it prints. A failing exit code is a result, not an
 * error; rejects only when the program cannot be started.
 */
export function runProcess(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.environment }
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], cwd: options.cwd, env })
    // It need not read what it is given.
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    const output = { stdout: '', stderr: '' }
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, options.timeoutMs)
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8')
      child[name].on('data', (text: string) => {
        output[name] += text
        if (output[name].length > outputCharsMax) child.kill('SIGKILL')
      })
    }
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (exitCode) => {
      clearTimeout(timer)
      resolve({ ...output, exitCode, timedOut })
    })
  })
}
