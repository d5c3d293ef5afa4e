import { join } from 'node:path'
import { makeTemporaryDirectory } from '@varve/log/testing'
import { afterEach, beforeEach, expect } from 'vitest'
import { type Ran, run, runWith } from '../captured-io.ts'

/** A directory of its own for each test, with a topic of a hundred records in `data`. */
export class BackupScene {
  #path = ''

  /** To be called where tests are declared. */
  constructor() {
    beforeEach(async () => {
      const temporary = makeTemporaryDirectory()
      this.#path = temporary.path
      this.#dispose = () => temporary[Symbol.dispose]()
      await this.produce(1, 100)
    })
    afterEach(() => this.#dispose())
  }

  #dispose: () => void = () => {}

  at(name: string): string {
    return join(this.#path, name)
  }

  async produce(from: number, to: number): Promise<void> {
    const input = numbers(to)
      .slice(from - 1)
      .map((value) => `${value}\n`)
    const { code } = await runWith({ input }, 'produce', 'orders', '--data', this.at('data'))
    expect(code).toBe(0)
  }

  async values(name: string): Promise<readonly string[]> {
    const { out } = await run('consume', 'orders', '--data', this.at(name))
    return out.split('\n').filter((line) => line !== '')
  }
}

export const numbers = (to: number): readonly string[] =>
  Array.from({ length: to }, (_, index) => String(index + 1))

/** Runs the command, which must succeed and say nothing on stderr. */
export async function ran(...argv: readonly string[]): Promise<Ran> {
  const result = await run(...argv)
  expect([argv.join(' '), result.code, result.err]).toEqual([argv.join(' '), 0, ''])
  return result
}
