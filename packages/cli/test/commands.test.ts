import { describe, expect, test } from 'vitest'
import { UsageError } from '../src/command-io.ts'
import { parseCommand } from '../src/commands.ts'

/** As in `Which verb? One of produce, consume, …`. */
async function verbNames(): Promise<string[]> {
  const error = await parseCommand([], 100).catch((thrown: unknown) => thrown)
  if (!(error instanceof UsageError)) throw new Error('no verb is an error of usage')
  return error.message.replace(/^.*One of |\.$/g, '').split(', ')
}

describe('the arguments', () => {
  test('of every verb are explained, with an example', async () => {
    const names = await verbNames()
    expect(names).toContain('produce')
    for (const name of names) {
      const help = await parseCommand([name, '--help'], 100)
      if (help.kind !== 'text') throw new Error(`varve ${name} --help prints no help`)
      expect(help.text, name).toContain(`varve ${name}`)
      expect(help.text, name).toContain('Examples:')
      expect(help.text, name).toContain('--json')
    }
  })

  test('that no verb knows are an error of usage, and say whom to ask', async () => {
    await expect(parseCommand(['verify', 'x', '--bogus'], 100)).rejects.toMatchObject({
      code: 'VARVE_USAGE',
      hint: "See 'varve verify --help'.",
    })
    await expect(parseCommand(['bogus'], 100)).rejects.toMatchObject({
      code: 'VARVE_USAGE',
      hint: "See 'varve --help'.",
    })
  })

  test.each([
    [['produc', 'x'], "There is no verb 'produc'. Did you mean produce?"],
    [['zzz'], "There is no verb 'zzz'."],
    [['produce'], 'Something is missing behind the verb: 0 given, at least 1 needed.'],
    [['retention', 'plan'], 'Missing required argument: --data'],
    [
      ['retention', 'plan', '--bootstrap-server', 'localhost:9092'],
      'varve retention cannot ask a server: it needs the files, --data DIR.',
    ],
    [
      ['compact', 'plan', '--data', 'd', '--bootstrap-server=localhost:9092'],
      'varve compact cannot ask a server: it needs the files, --data DIR.',
    ],
  ])('%j are answered in words of the command', async (argv, message) => {
    await expect(parseCommand(argv, 100)).rejects.toMatchObject({ code: 'VARVE_USAGE', message })
  })

  test.each(
    [
      ...['produce t --data d', 'consume t --data d', 'topic create t --data d'],
      ...['topic alter t --data d', 'group reset g --data d', 'user add u --data d'],
      ...['user alter u --data d', 'dead-letter list t --data d', 'stats --data d'],
      ...['backup init r', 'backup run d r', 'backup schedule d r'],
      ...['backup prune r', 'backup verify r', 'replay r --to kafka://h:1'],
      ...['restore r --to d', 'dump p', 'bench produce', 'bench consume', 'bench end-to-end'],
      ...['bench recover', 'bench compact', 'bench backup'],
    ].map((line) => [line]),
  )('of %s that are no numbers are told as they were typed', async (line) => {
    const argv = line.split(' ')
    const help = await parseCommand([...argv.slice(0, 2), '--help'], 100)
    const options =
      help.kind === 'text' ? [...help.text.matchAll(/^ +(--\S+) .*(?:\n {20,})?\[number\]/gm)] : []
    expect(options.length).toBeGreaterThan(0)
    for (const [, option = ''] of options) {
      const message = (given: string) => `${option} is '${given}': must be a number.`
      for (const [given, ...typed] of [
        ['x', option, 'x'],
        ['1s', `${option}=1s`],
        ['', option, ''],
        ['', `${option}=`],
        ['12,5', option, '1', option, '12,5'],
      ] as const) {
        const parsing = parseCommand([...argv, ...typed], 100)
        await expect(parsing, typed.join(' ')).rejects.toMatchObject({ message: message(given) })
      }
    }
  })

  test('run nothing while they are read', async () => {
    const parsed = await parseCommand(['inspect', '/no/such/path'], 100)
    expect(parsed.kind).toBe('command')
  })
})
