import { describe, expect, test } from 'vitest'
import { LineOutput, renderTable } from '../src/output.ts'
import { CapturedOutput } from './captured-io.ts'

describe('LineOutput', () => {
  test('gathers lines until it is full, and writes them at once, in order', async () => {
    const output = new CapturedOutput()
    const lines = new LineOutput(output)
    let count = 0
    while (!lines.isFull) {
      lines.json({ count })
      count += 1
    }
    expect(output.text).toBe('')
    await lines.flush()
    expect(output.documents).toEqual(
      Array.from({ length: count }, (_, index) => ({ count: index })),
    )
    expect(lines.isFull).toBe(false)
  })

  test('writes nothing where nothing was gathered', async () => {
    await new LineOutput(new CapturedOutput({ closesAfterBytes: 0 })).flush()
  })

  test('tells when the reader has gone', async () => {
    const lines = new LineOutput(new CapturedOutput({ closesAfterBytes: 0 }))
    lines.line('unread')
    await expect(lines.flush()).rejects.toMatchObject({ code: 'VARVE_CLOSED_PIPE' })
  })
})

test('a table is as wide as its widest cells, numbers at the right, no blanks at the ends', () => {
  const columns = [{ title: 'NAME' }, { title: 'N', align: 'right' as const }, { title: 'REST' }]
  const rows = [
    ['a', '1,000', 'x'],
    ['long name', '2', ''],
  ]
  expect(renderTable(columns, rows)).toEqual([
    'NAME           N  REST',
    'a          1,000  x',
    'long name      2',
  ])
})
