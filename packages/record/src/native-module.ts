import { createRequire } from 'node:module'
import { NativeModuleError } from './errors.ts'

// Native packages are optional: they are loaded when first needed, so that a platform without one
// of them loses that codec and nothing else.
const require = createRequire(import.meta.url)

/**
 * Loads a native package. `T` is a small description of what is used of it, since the packages' own
 * types do not always fit.
 *
 * @throws {NativeModuleError} when it is not installed or does not load on this platform.
 */
export function loadNativeModule<T>(specifier: string, purpose: string): T {
  try {
    return require(specifier) as T
  } catch (cause) {
    throw new NativeModuleError(packageNameOf(specifier), purpose, cause)
  }
}

function packageNameOf(specifier: string): string {
  const parts = specifier.split('/')
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/')
}
