import { randomUUID } from 'node:crypto'
import type { Varve } from '../../src/varve.ts'

/** A place where topics are: one directory, or one cluster. */
export interface Home {
  /** Opens it; one at a time. */
  open(): Promise<Varve>
}

/** A name that no other test has. */
export function fresh(prefix: string): string {
  return `${prefix}-${randomUUID().slice(0, 8)}`
}

/** Does something with the open place, and closes it. */
export async function withVarve<Result>(
  home: Home,
  run: (varve: Varve) => Promise<Result>,
): Promise<Result> {
  await using varve = await home.open()
  return await run(varve)
}

/** Everything that is in a topic now, as `value`, partition by partition in order. */
export async function valuesIn(
  varve: Varve,
  topic: string,
  isolation: 'committed' | 'uncommitted' = 'committed',
): Promise<ReadonlyArray<readonly string[]>> {
  const { partitions } = await varve.describeTopic(topic)
  const values = partitions.map((): string[] => [])
  const consumer = varve.consumer({ topics: [topic], follow: false, isolation })
  for await (const { partition, value } of consumer) values[partition]?.push(String(value))
  return values
}

/** The values of the next so many records. */
export async function take(
  consumer: AsyncIterator<{ readonly value: unknown }>,
  count: number,
): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    const step = await consumer.next()
    if (step.done === true) break
    values.push(String(step.value.value))
  }
  return values
}

/** Waits until something is so; fails after half a minute. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it did not come to be so')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => `v${from + index}`)
}
