import { existsSync } from 'node:fs'
import { join } from 'node:path'
import puppeteer, { type Browser } from 'puppeteer-core'
import { debianPackages } from '../../src/s3/debian-packages.ts'

const installed = ['chromium', 'chromium-browser', 'google-chrome'].map(
  (name) => `/usr/bin/${name}`,
)

/** A browser, or why there is none. */
export type FoundBrowser =
  | { readonly browser: Browser; readonly reason: null }
  | { readonly browser: null; readonly reason: string }

/**
 * Starts Chromium without a screen: the one that VARVE_CHROMIUM names, the machine's, or Debian's,
 * which is fetched for it. Where there is none, tests are skipped, unless VARVE_REQUIRE_CHROMIUM=1
 * says that they must run (as in continuous integration): then this rejects.
 */
export async function startChromium(): Promise<FoundBrowser> {
  try {
    const { path, environment } = await findChromium()
    const browser = await puppeteer.launch({
      executablePath: path,
      headless: true,
      env: { ...process.env, ...environment },
      // Its own walls need rights that a container does not give; it sees this server alone.
      args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb', '--lang=en'],
    })
    return { browser, reason: null }
  } catch (error) {
    if (process.env['VARVE_REQUIRE_CHROMIUM'] === '1' || !(error instanceof Error)) throw error
    return { browser: null, reason: `no Chromium: ${error.message.split('\n')[0]}` }
  }
}

async function findChromium(): Promise<{
  readonly path: string
  readonly environment: Readonly<Record<string, string>>
}> {
  const named = process.env['VARVE_CHROMIUM'] ?? installed.find((path) => existsSync(path))
  if (named !== undefined) return { path: named, environment: {} }
  const found = await debianPackages(['chromium', 'fonts-liberation'])
  if (!found.available) throw new Error(found.reason)
  const { root, environment } = found.packages
  const path = join(root, 'usr/lib/chromium/chromium')
  return { path, environment: { ...environment, ...fontsOf(root) } }
}

/** Where fonts are found: its own, by the place for a user's data, and by the machine's rules. */
function fontsOf(root: string): Readonly<Record<string, string>> {
  const rules = existsSync('/etc/fonts/fonts.conf') ? {} : { FONTCONFIG_PATH: `${root}/etc/fonts` }
  return { ...rules, XDG_DATA_HOME: join(root, 'usr/share') }
}
