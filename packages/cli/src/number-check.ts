/**
 * Complains of what was given where a number has to be. The parser makes NaN of a word, and zero of
 * nothing, and keeps neither, so what was typed is looked for among the arguments.
 *
 * @param parsed the options by name, as the parser has read them
 * @returns what is wrong; null for nothing
 */
export function wrongNumber(
  parsed: Readonly<Record<string, unknown>>,
  argv: readonly string[],
): string | null {
  for (const [name, value] of Object.entries(parsed)) {
    if (typeof value !== 'number') continue
    const given = givenFor(`--${name}`, argv)
    if (given === null) continue
    if (given.trim() === '' || !Number.isFinite(Number(given))) {
      return `--${name} is '${given}': must be a number.`
    }
  }
  return null
}

/** What stands behind an option, the last time that it is there; null where it is not. */
function givenFor(option: string, argv: readonly string[]): string | null {
  for (let at = argv.length - 1; at >= 0; at--) {
    const argument = argv[at] ?? ''
    if (argument === option) return argv[at + 1] ?? ''
    if (argument.startsWith(`${option}=`)) return argument.slice(option.length + 1)
  }
  return null
}
