import type { Client } from './client.ts'

/** Holds the client of one request to its quotas. */
export interface Throttle {
  /** The most that a Fetch may ask for at once: more could never be answered in time. */
  readonly fetchBytesMax: number
  /** The request brings records: its bytes count. */
  countProduced(): void
  /** Whether records of so many bytes may be answered with now; if so they count. */
  admitsFetched(bytes: number): boolean
  /**
   * So many partitions are to be made or removed. Throws RequestRefusedError where there were too
   * many before and `isStrict`; else they count, and the client is held back afterwards.
   */
  countMutations(partitions: number, isStrict: boolean): void
  /** Takes a step of the request; the time that it takes on the event loop counts. */
  timed<Result>(step: () => Result): Result
  /**
   * The request is done: how long its client has to hold back, in ms; its connection is not read
   * from meanwhile.
   */
  end(isAnswered: boolean): number
}

/** Knows which clients are held to anything. */
export interface Throttling {
  /** False where nobody is: nothing needs to be asked then. */
  readonly isActive: boolean
  /** For one request; null where its client is held to nothing. */
  throttleOf(client: Client, clientId: string | null, requestBytes: number): Throttle | null
  /** Whether one more connection may come from an address; if so it counts. */
  admitsConnection(host: string): boolean
}
