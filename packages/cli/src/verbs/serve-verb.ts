import type { Argv } from 'yargs'
import { type Choose, flag, text, texts, withJson } from './verb-options.ts'

export function addServeVerb(parser: Argv, choose: Choose): void {
  parser.command(
    'serve',
    'Serve a data directory to Kafka clients, over TCP',
    (verb) =>
      withJson(verb)
        .option('data', { ...text, describe: 'The data directory, made where it is not there' })
        .option('memory', { ...flag, describe: 'Nothing on disk: for tests' })
        .option('listen', {
          ...texts,
          describe: 'Where: HOST:PORT or NAME://HOST:PORT; more than once  [127.0.0.1:9092]',
        })
        .option('http', { ...text, describe: 'Health and metrics over HTTP, on HOST:PORT' })
        .option('http-token-file', {
          ...text,
          describe: 'A file with the token that HTTP asks for',
        })
        .option('ui', { ...flag, describe: 'A page to look at, on that address  [127.0.0.1:9464]' })
        .option('ui-writes', { ...flag, describe: 'The page may change things, when confirmed' })
        .option('ui-repository', {
          ...texts,
          describe: 'A backup repository that the page shows; more than once',
        })
        .option('passphrase-file', { ...text, describe: 'What opens those that are encrypted' })
        .option('key', { ...text, describe: 'A key file that does' })
        .option('config', { ...text, describe: 'Settings, as in Kafka’s server.properties' })
        .option('set', {
          ...texts,
          describe: 'One of those settings, as name=value; more than once',
        })
        .option('allow-anonymous-network-clients', {
          ...flag,
          describe: 'Let others than this machine in without asking who they are',
        })
        .option('verbose', { ...flag, describe: 'Log more' })
        .example('$0 serve --data ./data', '')
        .example('$0 serve --memory --listen localhost:0', '')
        .example('$0 serve --data ./data --http localhost:9464 --json', '')
        .example('$0 serve --data ./data --ui', '')
        .example('$0 serve --config server.properties --set num.partitions=3', '')
        .epilogue(
          'Says on one line where it serves, once it does; log lines go to stderr, with --json to ' +
            'stdout, an object each. Ctrl-C and SIGTERM end it gently: requests are answered, ' +
            'everything is flushed; a second signal ends it at once. SIGHUP reads certificates ' +
            'again. docs/serving.md has the rest.',
        ),
    (given) =>
      choose(async (io) => {
        const { serve } = await import('../commands/serve.ts')
        const { data = null, http = null, config = null, memory, listen, set } = given
        const { verbose, json, 'http-token-file': httpTokenFile = null } = given
        const { 'allow-anonymous-network-clients': allowAnonymousNetworkClients } = given
        const where = { data, memory, listen, http, config, set, allowAnonymousNetworkClients }
        const { ui, 'ui-writes': uiWrites, 'ui-repository': uiRepositories } = given
        const { 'passphrase-file': passphraseFile, key } = given
        const page = { ui, uiWrites, uiRepositories, passphraseFile, key }
        return serve({ ...where, ...page, verbose, json, httpTokenFile }, io)
      }),
  )
}
