import { Gauge, type Registry } from 'prom-client'

export type Labels = Readonly<Record<string, string>>

/** Gauges that belong to repositories: when one is looked at again, what is gone goes. */
export class RepositorySeries {
  readonly #registry: Registry
  readonly #gauges = new Map<string, Gauge>()
  /** By repository: which series there are, each by its name and labels. */
  readonly #series = new Map<string, Map<string, () => void>>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** `collect` is awaited before the gauge is shown. */
  add(name: string, help: string, labelNames: string[], collect: () => Promise<void>): void {
    const registers = [this.#registry]
    this.#gauges.set(name, new Gauge({ name, help, labelNames, registers, collect }))
  }

  has(name: string): boolean {
    return this.#gauges.has(name)
  }

  set(name: string, labels: Labels, value: number): void {
    const { repository = '' } = labels
    const gauge = this.#gauges.get(name)
    const series = this.#series.get(repository) ?? new Map<string, () => void>()
    this.#series.set(repository, series)
    series.set(`${name} ${JSON.stringify(labels)}`, () => gauge?.remove(labels))
    gauge?.set(labels, value)
  }

  /** Takes all series of a repository away. */
  clear(repository: string): void {
    for (const remove of this.#series.get(repository)?.values() ?? []) remove()
    this.#series.delete(repository)
  }
}
