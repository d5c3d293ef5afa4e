/** A request that has been answered. */
export interface AnsweredRequest {
  readonly api: string
  readonly version: number
  /** From when it was begun until its answer was there. */
  readonly durationMs: number
  readonly requestBytes: number
  /** 0 where there is no answer, or the request failed. */
  readonly responseBytes: number
}

/** Durations are counted in classes of 1/8 octave from here on: a quantile is right to 9 %. */
const leastMs = 1 / 64
const classesPerOctave = 8
const classes = 24 * classesPerOctave
/** Quantiles are of what was answered in this time, up to twice as long ago. */
const windowMs = 60_000

/** What the requests of one API have come to. */
export class ApiTraffic {
  /** Requests by their version. */
  readonly versions: Map<number, number> = new Map()
  requests = 0
  totalMs = 0
  requestBytes = 0
  responseBytes = 0
  #current = new Uint32Array(classes)
  #previous = new Uint32Array(classes)
  #beganMs = 0

  count(request: AnsweredRequest, nowMs: number): void {
    this.#turn(nowMs)
    this.versions.set(request.version, (this.versions.get(request.version) ?? 0) + 1)
    this.requests += 1
    this.totalMs += request.durationMs
    this.requestBytes += request.requestBytes
    this.responseBytes += request.responseBytes
    const index = classOf(request.durationMs)
    this.#current[index] = (this.#current[index] ?? 0) + 1
  }

  /** Below it lies that part of the latest durations, in ms; 0 where there were none. */
  quantile(part: number, nowMs: number): number {
    this.#turn(nowMs)
    const counts = this.#current.map((count, index) => count + (this.#previous[index] ?? 0))
    const all = counts.reduce((sum, count) => sum + count, 0)
    let below = 0
    for (const [index, count] of counts.entries()) {
      below += count
      if (count > 0 && below >= part * all) return upperMsOf(index)
    }
    return 0
  }

  #turn(nowMs: number): void {
    const ageMs = nowMs - this.#beganMs
    if (ageMs < windowMs) return
    this.#previous = ageMs < 2 * windowMs ? this.#current : new Uint32Array(classes)
    this.#current = new Uint32Array(classes)
    this.#beganMs = nowMs
  }
}

/** What all requests of a server have come to, by API: a few operations a request. */
export class RequestTraffic {
  readonly apis: Map<string, ApiTraffic> = new Map()

  count(request: AnsweredRequest, nowMs: number): void {
    let traffic = this.apis.get(request.api)
    if (traffic === undefined) {
      traffic = new ApiTraffic()
      this.apis.set(request.api, traffic)
    }
    traffic.count(request, nowMs)
  }
}

function classOf(durationMs: number): number {
  if (durationMs <= leastMs) return 0
  const index = Math.ceil(Math.log2(durationMs / leastMs) * classesPerOctave)
  return Math.min(index, classes - 1)
}

function upperMsOf(index: number): number {
  return leastMs * 2 ** (index / classesPerOctave)
}
