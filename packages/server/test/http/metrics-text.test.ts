import { expect, test } from 'vitest'
import { MetricsText } from '../../src/http/metrics-text.ts'

test('values of labels are escaped, so that no name can add a line', () => {
  const text = new MetricsText()
  text.family('gauge', 'x', 'What it is.', [[{ topic: 'a"b\\c\nd', partition: 0 }, 1.5]])
  text.single('counter', 'y_total', 'Another.', 2)
  expect(text.toString()).toBe(
    '# HELP x What it is.\n# TYPE x gauge\nx{topic="a\\"b\\\\c\\nd",partition="0"} 1.5\n' +
      '# HELP y_total Another.\n# TYPE y_total counter\ny_total 2\n',
  )
  expect(new MetricsText().toString()).toBe('')
})
