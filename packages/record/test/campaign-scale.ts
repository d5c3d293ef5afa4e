/**
 * How much of the campaigns runs, from the environment: `VARVE_CAMPAIGN_SCALE=0.1` for a tenth, 10
 * for ten times as much of what is drawn at random. All of it where that is not set.
 */
export const campaignScale: number = scaleFromEnvironment()

/**
 * The part of what is gone through one by one (every call, every bit). Which ones make it up has to
 * be drawn, by the seed that is printed: never the first ones.
 */
export const campaignShare: number = Math.min(1, campaignScale)

/** So many instead of `count`, of what is drawn at random anyway. */
export function scaled(count: number): number {
  return Math.ceil(count * campaignScale)
}

/**
 * How often a test draws that is a campaign in its long form: `short` times, or, where a file of
 * the campaigns has set VARVE_CAMPAIGN=long and imported it, so many of `long` as the scale says.
 */
export function drawn(short: number, long: number): number {
  return process.env['VARVE_CAMPAIGN'] === 'long' ? scaled(long) : short
}

function scaleFromEnvironment(): number {
  const value = process.env['VARVE_CAMPAIGN_SCALE'] || '1'
  const scale = Number(value)
  if (scale > 0 && scale <= 1000) return scale
  throw new Error(`VARVE_CAMPAIGN_SCALE has to be above 0, at most 1000: ${value}`)
}
