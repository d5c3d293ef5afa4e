import type { RecordInput } from '@varve/record'
import { type DeadLetter, readDeadLetter } from './dead-letter.ts'
import type { RawRecord } from './handled-record.ts'

export interface ReplayOptions {
  /** Appends to a topic; to that partition, or where the key says when it is null. */
  readonly send: (topic: string, partition: number | null, record: RecordInput) => Promise<unknown>
  /** Which of them to replay. @defaultValue all */
  readonly select?: (letter: DeadLetter, record: RawRecord) => boolean
  /** @defaultValue false: the key decides, as for any other record */
  readonly toOriginalPartition?: boolean
  /** Called when a letter has been sent, or passed over: it need not be read again. */
  readonly done?: (record: RawRecord) => Promise<void> | void
}

/** What replaying dead letters did. */
export interface ReplayReport {
  readonly replayed: number
  /** Not selected, or not dead letters. */
  readonly passedOver: number
}

/**
 * Sends dead letters back to the topics that they came from, as they were: key, value, their own
 * headers and timestamp. One after the other, so that their order stays. Sent is sent when `done`
 * is called: after a crash between the two a letter is sent again, so commit in `done`.
 */
export async function replayDeadLetters(
  letters: AsyncIterable<RawRecord>,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const { send, select = () => true, toOriginalPartition = false, done } = options
  let replayed = 0
  let passedOver = 0
  for await (const record of letters) {
    const letter = readDeadLetter(record)
    if (letter !== null && select(letter, record)) {
      const { topic, partition, headers, timestamp } = letter
      const { key, value } = record
      const input = { key, value, headers, ...(timestamp >= 0 && { timestamp }) }
      await send(topic, toOriginalPartition ? partition : null, input)
      replayed += 1
    } else passedOver += 1
    await done?.(record)
  }
  return { replayed, passedOver }
}
