/** A client program that is ready to be run. */
export interface ClientProgram {
  readonly command: string
  /** Before those of a run. */
  readonly args: readonly string[]
  /** Beside this process's own. */
  readonly environment: Readonly<Record<string, string>>
  /** Of the client, as it is asked for of its registry. */
  readonly version: string
}

/** The client's registry may not be at hand; then its tests are skipped and say why. */
export type ClientAvailability =
  | { readonly available: true; readonly program: ClientProgram }
  | { readonly available: false; readonly reason: string }
