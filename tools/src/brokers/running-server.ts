/** A server on the loopback interface, made of processes that end with this one. */
export interface RunningServer {
  readonly port: number
  /** Which of them its settings can give: `flushed` survives a power cut, `written` does not. */
  readonly promises: readonly ('flushed' | 'written')[]
  /** What it was started with, for whoever reports on it. */
  readonly settings: readonly string[]
  /** Ends it; what it holds is nobody's. */
  stop(): Promise<void>
}
