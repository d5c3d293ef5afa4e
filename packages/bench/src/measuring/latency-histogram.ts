import assert from 'node:assert/strict'

/** 3 significant digits need 2^11 sub-buckets, of which every bucket but the first uses half. */
const subBucketBits = 11
const halfCount = 2 ** (subBucketBits - 1)
/** 73 minutes in nanoseconds; what takes longer counts as that. */
const valueBits = 42
const largestValue = 2 ** valueBits - 1
const bucketCount = valueBits - subBucketBits + 1
const countsLength = (bucketCount + 1) * halfCount

/** Percentiles that every report has. */
export interface LatencyFigures {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly p9999Ms: number
  readonly maxMs: number
}

/**
 * Counts latencies in nanoseconds, to three digits, in the buckets of an HDR histogram (Tene's
 * HdrHistogram).
 *
 * Of its own because it is on the hot path of runs with a million records a second: taking note of
 * one costs 25 ns, where `perf_hooks.createHistogram` takes 90 and `hdr-histogram-js` 400; and the
 * former does not tell its counts, so that nothing could be exported from it.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(countsLength)
  #count = 0
  #sumMs = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  get maxMs(): number {
    return this.#maxMs
  }

  get sumMs(): number {
    return this.#sumMs
  }

  /** Milliseconds, fractional; less than a nanosecond counts as none. */
  record(latencyMs: number): void {
    const index = indexOf(nanoseconds(latencyMs))
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#count += 1
    this.#sumMs += latencyMs
    if (latencyMs > this.#maxMs) this.#maxMs = latencyMs
  }

  add(other: LatencyHistogram): void {
    const used = other.#used
    for (let index = 0; index < used; index++) {
      const count = other.#counts[index] ?? 0
      if (count > 0) this.#counts[index] = (this.#counts[index] ?? 0) + count
    }
    this.#count += other.#count
    this.#sumMs += other.#sumMs
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs)
  }

  clear(): void {
    this.#counts.fill(0, 0, this.#used)
    this.#count = 0
    this.#sumMs = 0
    this.#maxMs = 0
  }

  /** The latency, in ms, that so many percent did not exceed; 0 of none. */
  percentileMs(percent: number): number {
    assert(percent >= 0 && percent <= 100, 'a percentile is 0 to 100')
    const wanted = Math.max(1, Math.ceil((percent / 100) * this.#count - 1e-9))
    const used = this.#used
    let seen = 0
    for (let index = 0; index < used; index++) {
      seen += this.#counts[index] ?? 0
      // The largest value of the bucket, as HDR histograms have it; never more than there was.
      if (seen >= wanted) return Math.min(this.#maxMs, lowestOf(index + 1) / 1e6)
    }
    return 0
  }

  figures(): LatencyFigures {
    return {
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      p50Ms: this.percentileMs(50),
      p95Ms: this.percentileMs(95),
      p99Ms: this.percentileMs(99),
      p999Ms: this.percentileMs(99.9),
      p9999Ms: this.percentileMs(99.99),
      maxMs: this.#maxMs,
    }
  }

  /**
   * The counts of the buckets, up to the last that is not empty: what `encodeHistogram` takes. A
   * view: the next record changes it.
   */
  get counts(): Float64Array {
    return this.#counts.subarray(0, this.#used)
  }

  /** Beyond the bucket of the largest latency there are only zeros. */
  get #used(): number {
    return this.#count === 0 ? 0 : indexOf(nanoseconds(this.#maxMs)) + 1
  }
}

function nanoseconds(latencyMs: number): number {
  return Math.min(largestValue, Math.max(0, Math.round(latencyMs * 1e6)))
}

/** Bit operations have 32 bits, so of larger values the lowest, which no bucket tells, go first. */
function indexOf(value: number): number {
  const lost = value >= 2 ** 31 ? subBucketBits : 0
  const short = lost === 0 ? value : Math.floor(value / 2 ** subBucketBits)
  const shift = 32 - subBucketBits - Math.clz32(short | (2 ** subBucketBits - 1))
  return (shift + lost) * halfCount + (short >>> shift)
}

/** The least value of a bucket. */
function lowestOf(index: number): number {
  const shift = Math.max(0, Math.floor(index / halfCount) - 1)
  return (index - shift * halfCount) * 2 ** shift
}
