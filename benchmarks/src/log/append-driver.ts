import type { Payload, PayloadRecord } from '../harness/payload.ts'

/**
 * Appends records in turn, by so many callers of whom each waits for its append before it makes the
 * next: a closed loop, so what it measures is throughput and says nothing of latency.
 */
export async function appendInFlight(
  { records }: Payload,
  inFlight: number,
  count: number,
  append: (record: PayloadRecord, index: number) => Promise<unknown>,
): Promise<void> {
  let sent = 0
  const call = async (): Promise<void> => {
    while (sent < count) {
      const index = sent
      sent += 1
      await append(records[index % records.length] as PayloadRecord, index)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, call))
}
