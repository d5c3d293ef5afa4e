import { expect, test } from 'vitest'
import { NamedTurns } from '../../src/base/named-turns.ts'
import { pollTurn } from '../../src/base/turns.ts'

test('actions of one name follow each other, also after a failure; those of others do not wait', async () => {
  const turns = new NamedTurns()
  const seen: string[] = []
  const action = (what: string, error?: Error) => async (): Promise<string> => {
    seen.push(`${what} begins`)
    await pollTurn()
    seen.push(`${what} ends`)
    if (error !== undefined) throw error
    return what
  }
  const first = turns.run('a', action('one', new Error('one failed')))
  const failed = expect(first).rejects.toThrow('one failed')
  const second = turns.run('a', action('two'))
  const other = turns.run('b', action('other'))
  expect(seen).toEqual(['one begins', 'other begins'])
  await turns.settled()
  expect(seen.filter((it) => !it.startsWith('other'))).toEqual([
    'one begins',
    'one ends',
    'two begins',
    'two ends',
  ])
  await failed
  expect(await Promise.all([second, other])).toEqual(['two', 'other'])
})
