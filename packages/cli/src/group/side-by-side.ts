/** What `use` makes of each item, in their order; of so many at a time. Rejects with the first. */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  use: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const takeTurns = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      results[index] = await use(items[index] as Item)
    }
  }
  const turns = Array.from({ length: Math.min(atOnce, items.length) }, takeTurns)
  try {
    await Promise.all(turns)
  } finally {
    // Nobody begins another one where one has failed.
    next = items.length
  }
  return results
}
