/** How something grows with a size: as the size to the power of `exponent`. */
export interface PowerLaw {
  readonly exponent: number
  readonly factor: number
}

/**
 * The power law that lies closest to the points, by least squares over their logarithms. NaN of
 * fewer than two sizes, and where something is not above zero.
 */
export function fitPowerLaw(points: readonly (readonly [at: number, value: number])[]): PowerLaw {
  const logs = points.map(([at, value]) => [Math.log(at), Math.log(value)] as const)
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length
  const spread = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  const together = logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const exponent = spread > 0 ? together / spread : Number.NaN
  return { exponent, factor: Math.exp(meanY - exponent * meanX) }
}
