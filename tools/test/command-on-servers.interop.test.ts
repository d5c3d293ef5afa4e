import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '@varve/server'
import { afterAll, expect, test } from 'vitest'
import { type Ran, runWith } from '../../packages/cli/test/captured-io.ts'
import { startBroker } from '../src/kafka/kafka-broker.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

// The command's verbs by the network: what they say of a Kafka is what they say of a Varve server.

const directory = mkdtempSync(join(tmpdir(), 'varve-command-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Lets in whoever logs in, and lets `admin` do everything. */
const brokerSettings = {
  'listener.security.protocol.map': 'PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
  'inter.broker.listener.name': 'PLAINTEXT',
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
  'sasl.mechanism.inter.broker.protocol': 'PLAIN',
  'listener.name.plaintext.plain.sasl.jaas.config':
    'org.apache.kafka.common.security.plain.PlainLoginModule required ' +
    'username="admin" password="admin-secret" user_admin="admin-secret";',
  'listener.name.plaintext.scram-sha-512.sasl.jaas.config':
    'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:admin;User:ANONYMOUS',
}

interface As {
  readonly user: string
  readonly password: string
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
}

const admin: As = { user: 'admin', password: 'admin-secret', mechanism: 'PLAIN' }
const carol: As = { user: 'carol', password: 'one', mechanism: 'SCRAM-SHA-512' }

function runAs(server: string, { user, password, mechanism }: As) {
  const config = join(directory, `${user}.properties`)
  const lines = [
    'security.protocol=SASL_PLAINTEXT',
    `sasl.mechanism=${mechanism}`,
    `sasl.jaas.config=X required username="${user}" password="${password}";`,
  ]
  return (command: string, input = ''): Promise<Ran> => {
    writeFileSync(config, lines.join('\n'))
    const there = ['--bootstrap-server', server, '--command-config', config]
    return runWith({ input: input === '' ? [] : [input] }, ...command.split(' '), ...there)
  }
}

/** What differs from one server, or one moment, to another. */
function comparable({ code, out, err }: Ran): string {
  const text = out
    .replaceAll(/[A-Za-z0-9_-]{22}(?=\n)/g, 'ID')
    .replaceAll(/"timestamp":\d+/g, '"timestamp":T')
    .replaceAll(/"(elapsedMs|\w+PerSecond)":\d+/g, '"$1":N')
    .replaceAll(/^\d.*\/s\n/gm, '')
    .replaceAll(/\d+(\.\d+)? K?B$/gm, 'SIZE')
  const error = err.startsWith('{') ? String(JSON.parse(err).error.code) : err
  return `${code} ${text}${error}`
}

/** Everything that the verbs do, and what they said. */
async function transcriptOf(server: string): Promise<readonly string[]> {
  const said: string[] = []
  const all = runAs(server, admin)
  const tell = async (command: string, run = all, input = ''): Promise<void> => {
    said.push(`${command}: ${comparable(await run(command, input))}`)
  }
  await tell('user add carol --mechanism SCRAM-SHA-512 --iterations 4096', all, 'one\n')
  await tell('topic create orders --partitions 2 --set retention.ms=1000000')
  await tell('topic alter orders --set max.message.bytes=100000 --partitions 3')
  await tell('topic create orders --json')
  await tell('topic list')
  await tell('acl add --allow-principal User:carol --consumer --topic orders --group billing')
  const mine = runAs(server, carol)
  // A cluster knows of users and rules a moment later.
  await expect.poll(async () => (await mine('topic list')).out, { timeout: 20_000 }).not.toBe('')
  await tell('user list')
  await tell('acl list --topic orders')
  await tell('produce orders --partition 1 --key-separator =', all, 'a=1\nb=2\nc=3\n')
  await tell('topic describe orders')
  await tell('topic describe orders', mine)
  await tell('consume orders --partition 1 --from 1 --max 2 --json', mine)
  await tell('consume orders --group billing --json', mine)
  await tell('produce orders --json', mine, 'x\n')
  await tell('topic delete orders --yes --json', mine)
  await tell('acl list --json', mine)
  await tell('user list --json', mine)
  await tell('group list')
  await tell('stats')
  await tell('stats --json', mine)
  await tell('dead-letter list orders')
  await tell('dead-letter list other --json')
  await tell('group reset billing --topic orders:1 --to 2 --yes')
  await tell('group describe billing')
  await tell('group delete billing --yes')
  await tell('group describe billing --json')
  await tell('topic list --json', runAs(server, { ...carol, password: 'other' }))
  await tell('topic list --json', runAs(server, { ...carol, mechanism: 'SCRAM-SHA-256' }))
  await tell('user alter carol', all, 'two\n')
  await tell('user delete carol --yes')
  await tell('acl remove --principal User:carol --yes')
  await expect.poll(async () => (await all('acl list')).out, { timeout: 20_000 }).toBe('')
  await tell('user delete carol --json')
  await tell('topic describe other --json')
  await tell('topic delete orders --yes')
  return said
}

async function ofVarve(): Promise<readonly string[]> {
  const mechanisms = ['PLAIN', 'SCRAM-SHA-512'] as const
  const listeners = [{ protocol: 'SASL_PLAINTEXT' as const, port: 0, saslMechanisms: mechanisms }]
  const superUsers = ['User:admin']
  await using server = await startServer({ memory: true, listeners, superUsers })
  await server.security.addUser('admin', 'admin-secret', { iterations: 4096 })
  // Kafka keeps its PLAIN users elsewhere, and does not list them.
  const said = await transcriptOf(server.bootstrapServers)
  return said.map((text) => text.replaceAll(/^admin .*\n/gm, ''))
}

describeWithKafka((release) => {
  test('the verbs say of a Kafka what they say of a Varve server', async () => {
    const settings = brokerSettings
    const place = join(directory, `broker-${release.line}`)
    const broker = await startBroker(release, { directory: place, settings })
    try {
      const kafka = await transcriptOf(broker.bootstrapServers)
      expect(kafka).toEqual(await ofVarve())
      const refused = kafka.map((text) => /VARVE_\w+/.exec(text)?.[0]).filter(Boolean)
      expect(refused).toEqual([
        'VARVE_TOPIC_EXISTS',
        ...Array.from({ length: 4 }, () => 'VARVE_CLUSTER_REFUSED'),
        'VARVE_TOPIC_NOT_FOUND',
        'VARVE_GROUP_NOT_FOUND',
        ...Array.from({ length: 2 }, () => 'VARVE_CLUSTER_AUTHENTICATION'),
        'VARVE_USER_NOT_FOUND',
        'VARVE_TOPIC_NOT_FOUND',
      ])
    } finally {
      await broker.kill()
    }
  }, 180_000)
})
