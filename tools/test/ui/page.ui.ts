import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startChromium } from './chromium.ts'
import { hostileValue, openScene, type UiScene } from './ui-scene.ts'
import { type Visit, Visitor } from './visitor.ts'

let found: Browser | null = null
let reason: string | null = null
let scene: UiScene

beforeAll(async () => {
  const { browser, reason: why } = await startChromium()
  found = browser
  reason = why
  if (browser !== null) scene = await openScene()
})

afterAll(async () => {
  await found?.close()
  await scene?.close()
})

beforeEach((context) => {
  if (reason !== null) context.skip(reason)
})

/** Looks, and fails in the end where anything went wrong beside. */
async function visit(
  use: (visitor: Visitor) => Promise<void>,
  how: Visit = {},
  url: string = scene.url,
): Promise<void> {
  if (found === null) throw new Error('there is a browser')
  await using visitor = await Visitor.open(found, url, how)
  await use(visitor)
  visitor.expectNoFaults()
}

const rows = 'main tbody tr:not(.detail-row)'

test('the page loads, shows the topics, and asks nobody but its server', async () => {
  await visit(async (visitor) => {
    await visitor.go('', `${rows} a`)
    expect(await visitor.page.title()).toBe('Topics · Varve')
    const names = await visitor.texts(`${rows} a`)
    expect(names).toEqual(['clicks', 'customers', 'empty', 'hostile', 'orders', 'payments'])
    await visitor.until('document.querySelector("#health").textContent.includes("healthy")')
    expect(await visitor.texts('main .actions button')).toEqual([])
  })
})

test('everything is reached by the keyboard alone', async () => {
  await visit(async (visitor) => {
    const { keyboard } = visitor.page
    await visitor.go('', `${rows} a`)
    await keyboard.press('Tab')
    expect(await visitor.focus()).toBe('Skip to content')
    await keyboard.press('Tab')
    await keyboard.press('Tab')
    expect(await visitor.focus()).toBe('Topics')
    await keyboard.press('/')
    expect(await visitor.is('document.activeElement.type')).toBe('search')
    await keyboard.press('Escape')
    // Behind the search and the check box the titles, which sort, and then one row of the table.
    await visitor.page.focus('main [data-rove]')
    expect(await visitor.focus()).toBe('clicks')
    await keyboard.press('ArrowDown')
    await keyboard.press('ArrowDown')
    expect(await visitor.focus()).toBe('empty')
    await keyboard.press('End')
    expect(await visitor.focus()).toBe('payments')
    await keyboard.press('ArrowUp')
    expect(await visitor.focus()).toBe('orders')
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(await visitor.focus(), 'bringing it up to date moves nobody').toBe('orders')
    await keyboard.press('Enter')
    await visitor.until('document.querySelector("h1").textContent === "orders"')
    expect(await visitor.is('document.activeElement.tagName')).toBe('H1')
    expect(await visitor.page.title()).toBe('orders: partitions · Varve')
    await visitor.page.waitForSelector('.partitions a')
    await visitor.page.focus('.partitions [tabindex="0"]')
    await keyboard.press('ArrowDown')
    expect(await visitor.focus()).toBe('Partition 1')
    await keyboard.press('Enter')
    await visitor.until('document.querySelector("h1").textContent.endsWith("partition 1")')
  })
})

test('what has the focus is seen', async () => {
  await visit(async (visitor) => {
    await visitor.go('', `${rows} a`)
    for (let step = 0; step < 12; step++) {
      await visitor.page.keyboard.press('Tab')
      const outline = 'getComputedStyle(document.activeElement).outlineStyle'
      expect(await visitor.is(outline), await visitor.focus()).toBe('solid')
    }
  })
})

test('topics are searched and sorted', async () => {
  await visit(async (visitor) => {
    await visitor.go('', `${rows} a`)
    await visitor.page.type('[data-search]', 'CUST')
    await visitor.until(`document.querySelectorAll(${JSON.stringify(rows)}).length === 1`)
    await visitor.page.type('[data-search]', 'nothing')
    await visitor.until('document.querySelector("main .empty:not([hidden])") !== null')
    await visitor.go('', `${rows} a`)
    await visitor.page.click('th:nth-child(3) button')
    expect((await visitor.texts(`${rows} a`))[0]).toBe('clicks')
    expect(await visitor.is('document.querySelectorAll("th[aria-sort=descending]").length')).toBe(1)
  })
})

test('segments are drawn along both axes, and one that is chosen is marked in both', async () => {
  await visit(async (visitor) => {
    await visitor.go('#/topics/customers/partitions/0', '.drawing svg')
    const listed = (await visitor.texts('[data-segment]')).length
    expect(listed).toBeGreaterThan(5)
    const bars = 'document.querySelectorAll(".drawing:nth-of-type(1) .bar").length'
    expect(await visitor.is(bars)).toBe(listed)
    expect(await visitor.is('document.querySelectorAll(".bar.compacted").length')).toBeGreaterThan(
      2,
    )
    expect(await visitor.is('document.querySelectorAll(".mark-high").length')).toBeGreaterThan(0)
    await visitor.page.click('[data-segment]')
    expect(await visitor.is('document.querySelectorAll(".bar.chosen").length')).toBe(2)
    await visitor.go('#/topics/orders', '.drawing svg')
    await visitor.page.select('select', 'time')
    await visitor.until('document.querySelector("svg").ariaLabel.includes("along time")')
  })
})

test('records are found by what they contain, by key, offset and time', async () => {
  await visit(async (visitor) => {
    const { page } = visitor
    const counted = (count: number): string =>
      `document.querySelectorAll(${JSON.stringify(rows)}).length === ${count}`
    await visitor.go('#/topics/orders/records', rows)
    await visitor.until(counted(50))
    await page.click('main .tools:last-child button')
    await visitor.until(counted(100))
    await page.type('[data-search]', 'o-12345')
    await visitor.until(counted(1))
    await visitor.go('#/topics/orders/records', rows)
    await page.type('.records-form input[type=text]', 'o-10007')
    await page.keyboard.press('Enter')
    await visitor.until(counted(1))
    await visitor.go('#/topics/orders/records', rows)
    await page.select('.records-form select', '1')
    await visitor.settled()
    await page.select('.field:nth-child(2) select', 'offset')
    await page.type('input[type=number]', '100')
    await page.keyboard.press('Enter')
    await visitor.until(`document.querySelector(${JSON.stringify(rows)}).textContent[0] === '1'`)
    expect((await visitor.texts(`${rows} button`))[0]).toBe('1,000')
    await page.select('.field:nth-child(2) select', 'time')
    await page.$eval('input[type=datetime-local]', (input) => {
      Reflect.set(input, 'value', '2001-01-01T00:00:00')
    })
    await page.click('.records-form .primary')
    await visitor.until(
      `document.querySelector(${JSON.stringify(`${rows} button`)}).textContent === '0'`,
    )
  })
})

test('new records appear as they come, until it is paused', async () => {
  await visit(async (visitor) => {
    await visitor.go('#/topics/orders/records', rows)
    await visitor.page.click('.live')
    await visitor.until('document.querySelector(".live").ariaPressed === "true"')
    await visitor.until('document.querySelector("[role=status].summary").textContent !== ""')
    await using producer = scene.server.varve.producer()
    const first = `document.querySelector(${JSON.stringify(rows)}).textContent`
    await visitor.until(`document.querySelectorAll(${JSON.stringify(rows)}).length >= 50`)
    await producer.send('orders', { key: 'live-1', value: 'first' })
    await visitor.until(`${first}.includes('live-1')`)
    await producer.send('orders', { key: 'live-2', value: 'second' })
    await visitor.until(`${first}.includes('live-2')`)
    await visitor.until('document.querySelector("#announcer").textContent.includes("new record")')
    await visitor.page.click('.live')
    await producer.send('orders', { key: 'live-3', value: 'third' })
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await visitor.is<string>(first)).toContain('live-2')
  })
})

test('records that mean harm are text, cut, and shown whole when that is asked for', async () => {
  await visit(async (visitor) => {
    await visitor.go('#/topics/hostile/records', rows)
    await visitor.is(`document.querySelectorAll(${JSON.stringify(`${rows} button`)})
      .forEach((each) => each.click())`)
    const title = await visitor.page.title()
    expect(title).toBe('hostile: records · Varve')
    const made = 'main :is(img, script, iframe, b, i, object, embed)'
    expect(await visitor.is(`document.querySelectorAll('${made}').length`)).toBe(0)
    expect(await visitor.texts('pre')).toContain(hostileValue)
    const text = (await visitor.texts('main')).join('')
    expect(text).toContain('safe \\u202e gnp.exe \\u202c␇ end')
    expect(text).not.toMatch(/[\u202e\u0007\u0000]/)
    expect(text).toContain('00 ff fe 80 41 42 1b 5b')
    const largest = `Math.max(...[...document.querySelectorAll('pre')].map((each) => each.textContent.length))`
    expect(await visitor.is(largest)).toBeLessThan(5000)
    await visitor.page.click('.cut button')
    await visitor.until(`${largest} > 200_000`)
    expect(await visitor.texts('.cut a')).toEqual(['Download'])
  })
})

test('a change is made when it is confirmed, and the page shows it', async () => {
  const changing = await openScene({ writes: true, isEmpty: true })
  try {
    await visit(
      async (visitor) => {
        const { page } = visitor
        await visitor.go('', 'main .actions button')
        expect(await visitor.texts('main .empty')).toContain('There are no topics yet.')
        await page.click('main .actions button')
        await visitor.expectAccessible('the dialog')
        await page.type('dialog input[type=text]', 'made-here')
        await page.keyboard.press('Enter')
        await visitor.until('document.querySelector("h1").textContent === "made-here"')
        expect(await changing.server.varve.listTopics()).toEqual(['made-here'])
        await page.waitForSelector('main .actions .danger')
        await page.click('main .actions .danger')
        expect(await visitor.is('document.querySelector("dialog .primary").disabled')).toBe(true)
        await page.type('dialog input', 'made-here')
        await page.keyboard.press('Enter')
        await visitor.until('document.querySelector("h1").textContent === "Topics"')
        visitor.allowMissingTopic('made-here')
        expect(await changing.server.varve.listTopics()).toEqual([])
      },
      {},
      changing.url,
    )
  } finally {
    await changing.close()
  }
})

test('a group shows who of it reads what', async () => {
  await visit(async (visitor) => {
    await visitor.go('#/groups/shipping', rows)
    const cells = await visitor.texts(`${rows} td`)
    expect(cells).toContain('payments 0–1')
    expect(cells.filter((text) => text === 'shipping-office')).toHaveLength(3)
  })
})

test('a server that is gone is said to be, and so is what is not there', async () => {
  const ending = await openScene({ isEmpty: true })
  if (found === null) throw new Error('there is a browser')
  await using visitor = await Visitor.open(found, ending.url)
  await visitor.go('#/topics/nope', '.problem:not([hidden])')
  expect((await visitor.texts('.problem'))[0]).toContain('nope')
  await visitor.go('#/nowhere')
  expect(await visitor.texts('h1')).toEqual(['Not found'])
  await visitor.go('#/groups')
  expect(await visitor.texts('main .empty')).toEqual(['No group has committed anything yet.'])
  visitor.expectNoFaults()
  await ending.close()
  await visitor.until('document.querySelector(".problem:not([hidden])") !== null')
  expect(await visitor.texts('.problem')).toEqual(['The server does not answer.'])
})

/** Every part of the page, and the picture of it in the documentation, where there is one. */
const views: ReadonlyArray<readonly [hash: string, ready: string, picture: string | null]> = [
  ['#/topics', rows, 'ui-topics'],
  ['#/topics/orders', '.drawing svg', null],
  ['#/topics/clicks', '.drawing svg', 'ui-topic'],
  ['#/topics/customers/partitions/0', '.drawing svg', 'ui-partition'],
  ['#/topics/payments/records', rows, 'ui-records'],
  ['#/topics/orders/groups', rows, null],
  ['#/topics/orders/settings', rows, null],
  ['#/topics/empty', '.nothing', null],
  ['#/groups', rows, null],
  ['#/groups/analytics', rows, null],
  ['#/groups/shipping', rows, 'ui-group'],
  ['#/cleaning', rows, 'ui-cleaning'],
  ['#/backups', '.card .good', 'ui-backups'],
  ['#/server', rows, null],
]

test.each([
  [360, 'light'],
  [1600, 'dark'],
] as const)(
  'at %i pixels, %s, every part keeps the rules of accessibility',
  async (width, scheme) => {
    await visit(
      async (visitor) => {
        for (const [hash, ready] of views) {
          await visitor.go(hash, ready)
          if (hash.endsWith('/records')) await visitor.page.click(`${rows} button`)
          await visitor.expectAccessible(`${hash} at ${width}`)
        }
      },
      { width, scheme },
    )
  },
  180_000,
)

test('the pictures of the documentation are taken', async (context) => {
  const hint = 'pictures are taken with VARVE_UI_PICTURES=1'
  if (process.env['VARVE_UI_PICTURES'] !== '1') context.skip(hint)
  const images = join(import.meta.dirname, '../../../docs/images')
  mkdirSync(images, { recursive: true })
  const take = async (name: string, hash: string, ready: string, how: Visit): Promise<void> => {
    await visit(async (visitor) => {
      await visitor.go(hash, ready)
      if (hash.endsWith('/records')) await visitor.page.click(`${rows}:nth-child(2) button`)
      await visitor.page.screenshot({ path: join(images, `${name}.png`) as `${string}.png` })
    }, how)
  }
  for (const [hash, ready, picture] of views) {
    if (picture !== null) await take(picture, hash, ready, { width: 1100, height: 620 })
  }
  await take('ui-dark', '#/topics/clicks', '.drawing svg', {
    ...{ width: 1100, height: 620, scheme: 'dark' },
  })
  await take('ui-narrow', '#/topics/orders', '.drawing svg', { width: 360, height: 620 })
}, 180_000)
