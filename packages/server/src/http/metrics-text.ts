type Labels = Readonly<Record<string, string | number>>

/** Metrics in Prometheus' text format, gathered a family at a time. */
export class MetricsText {
  readonly #lines: string[] = []

  /** A family: what is said of it, and a value for each of its series. */
  family(
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    series: Iterable<readonly [Labels, number]>,
  ): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`)
    for (const [labels, value] of series) this.#lines.push(`${name}${written(labels)} ${value}`)
  }

  /** A family of one series without labels. */
  single(kind: 'counter' | 'gauge', name: string, help: string, value: number): void {
    this.family(kind, name, help, [[{}, value]])
  }

  toString(): string {
    return this.#lines.length === 0 ? '' : `${this.#lines.join('\n')}\n`
  }
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => escapes[character] ?? character)
}
