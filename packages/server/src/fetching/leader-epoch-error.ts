import type { Log } from '@varve/log'
import { errorCodes } from '../protocol/error-codes.ts'

/** What is wrong with the leader epoch that a client believes to be the current one; 0 nothing. */
export function leaderEpochError(
  { leaderEpoch }: Pick<Log, 'leaderEpoch'>,
  believedEpoch: number,
): number {
  if (believedEpoch < 0 || believedEpoch === leaderEpoch) return errorCodes.NONE
  return believedEpoch < leaderEpoch
    ? errorCodes.FENCED_LEADER_EPOCH
    : errorCodes.UNKNOWN_LEADER_EPOCH
}
