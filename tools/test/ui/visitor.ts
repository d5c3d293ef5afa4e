import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'puppeteer-core'
import { expect } from 'vitest'

/** How somebody looks at the page. */
export interface Visit {
  readonly width?: number
  readonly height?: number
  readonly scheme?: 'light' | 'dark'
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * Somebody who looks at the page, and notes what must not happen: words on the console, errors,
 * requests that fail or leave the server.
 */
export class Visitor implements AsyncDisposable {
  readonly page: Page
  readonly url: string
  readonly #faults: string[] = []

  private constructor(page: Page, url: string) {
    this.page = page
    this.url = url
    const { origin } = new URL(url)
    const fault = (text: string): void => void this.#faults.push(text)
    page.on('console', (message) => fault(`console: ${message.text()}`))
    page.on('pageerror', (error) => fault(`error: ${String(error)}`))
    page.on('request', (request) => {
      // Pictures in the browser's own controls are `data:`, and come from nowhere.
      const isOwn = /^data:/.test(request.url()) || request.url().startsWith(`${origin}/ui/`)
      if (!isOwn) fault(`left the server: ${request.url()}`)
    })
    page.on('response', (response) => {
      if (response.status() >= 400) fault(`${response.status()}: ${response.url()}`)
    })
  }

  static async open(browser: Browser, url: string, visit: Visit = {}): Promise<Visitor> {
    const { width = 1280, height = 800, scheme = 'light' } = visit
    const page = await browser.newPage()
    await page.setViewport({ width, height })
    await page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: scheme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ])
    await page.emulateTimezone('Europe/Berlin')
    const visitor = new Visitor(page, url)
    // What the page's own rules forbid is reported by the browser on the console.
    return visitor
  }

  /** Goes to a part of the page, and waits until it shows what it has asked for. */
  async go(hash: string, ready = 'main h1'): Promise<void> {
    await this.page.goto('about:blank')
    this.#faults.length = 0
    await this.page.goto(this.url + hash, { waitUntil: 'load' })
    await this.page.waitForSelector(ready)
    await this.settled()
  }

  /** Until nothing has been asked for a moment. */
  async settled(): Promise<void> {
    await this.page.waitForNetworkIdle({ idleTime: 250, concurrency: 1 })
  }

  /** What an expression is, in the page. */
  async is<Value>(expression: string): Promise<Value> {
    return (await this.page.evaluate(expression)) as Value
  }

  /** Waits until an expression is true, in the page. */
  async until(expression: string): Promise<void> {
    await this.page.waitForFunction(expression, { timeout: 15_000 })
  }

  /** The text of every element that a selector finds. */
  async texts(selector: string): Promise<readonly string[]> {
    const found = JSON.stringify(selector)
    return this.is(
      `[...document.querySelectorAll(${found})].map((each) => each.textContent.trim())`,
    )
  }

  /** The text of what has the focus. */
  focus(): Promise<string> {
    return this.is('document.activeElement.textContent.trim()')
  }

  /** Fails where accessibility rules are broken, or the page is wider than the screen. */
  async expectAccessible(where: string): Promise<void> {
    await this.is(`${axe}; true`)
    const broken = await this.is<readonly string[]>(`axe.run(document, {
      resultTypes: ['violations'],
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 200) + failureSummary)))`)
    expect(broken, where).toEqual([])
    const overflow = 'document.scrollingElement.scrollWidth - innerWidth'
    expect(await this.is<number>(overflow), `${where} is too wide`).toBeLessThanOrEqual(0)
  }

  /**
   * Who asks for a topic at the very moment in which it is deleted is told that there is none, and
   * the browser says so on the console.
   */
  allowMissingTopic(name: string): void {
    const isMissing = (fault: string): boolean =>
      fault.startsWith('404: ') && fault.includes(`/topics/${name}?`)
    const missing = this.#faults.filter(isMissing).length
    let said = 0
    const kept = this.#faults.filter((fault) => {
      if (isMissing(fault)) return false
      return !(/^console: .* 404 /.test(fault) && said++ < missing)
    })
    this.#faults.splice(0, this.#faults.length, ...kept)
  }

  /** Fails where anything happened that must not. */
  expectNoFaults(): void {
    expect(this.#faults).toEqual([])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.close()
  }
}
