import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Server, startServer } from '@varve/server'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { runJava } from '../src/kafka/java-command.ts'
import type { KafkaRelease } from '../src/kafka/kafka-release.ts'
import { runProcess } from '../src/kafka/run-process.ts'
import { describeWithKafka } from './kafka-interop/with-kafka.ts'

describeWithKafka((release) => describeSecurity(release))

const kcatFound = inject('clientsBeside').kcat

/** What Kafka's own tools do to users and access rules of a Varve server, over SASL_SSL. */
function describeSecurity(release: KafkaRelease): void {
  const directory = mkdtempSync(join(tmpdir(), 'varve-secured-'))
  const keyFile = join(directory, 'key.pem')
  const certificateFile = join(directory, 'certificate.pem')
  let server: Server | null = null

  /** Runs a tool as a user, and returns what it prints. */
  async function run(mainClass: string, user: string, ...args: readonly string[]): Promise<string> {
    const config = join(directory, `${user}.properties`)
    const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
    writeFileSync(
      config,
      [
        'security.protocol=SASL_SSL',
        'sasl.mechanism=SCRAM-SHA-512',
        `sasl.jaas.config=${login} username="${user}" password="${user}-secret";`,
        'ssl.truststore.type=PEM',
        `ssl.truststore.location=${certificateFile}`,
        'request.timeout.ms=15000',
        'default.api.timeout.ms=20000',
      ].join('\n'),
    )
    const address = ['--bootstrap-server', server?.bootstrapServers ?? '']
    const all = [...address, '--command-config', config, ...args]
    const result = await runJava(release, mainClass, all, { timeoutMs: 60_000 })
    return `${result.stdout}${result.stderr}`
  }

  const acls = (...args: readonly string[]) => {
    const mainClass =
      release.line === '3.9' ? 'kafka.admin.AclCommand' : 'org.apache.kafka.tools.AclCommand'
    return run(mainClass, 'admin', ...args)
  }
  const configs = (user: string, ...args: readonly string[]) => {
    return run('kafka.admin.ConfigCommand', user, ...args)
  }

  beforeAll(async () => {
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
    const files = ['-keyout', keyFile, '-out', certificateFile, '-days', '2']
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...subject]
    execFileSync('openssl', made, { stdio: 'ignore' })
    server = await startServer({
      data: join(directory, 'data'),
      listeners: [{ protocol: 'SASL_SSL', port: 0, tls: { certificateFile, keyFile } }],
      superUsers: ['User:admin'],
    })
    await server.security.addUser('admin', 'admin-secret')
    await server.varve.createTopic('orders')
  })
  afterAll(async () => {
    await server?.close()
    rmSync(directory, { recursive: true, force: true })
  })

  test('kafka-configs makes, shows and removes a user', async () => {
    const carol = ['--entity-type', 'users', '--entity-name', 'carol']
    const added = 'SCRAM-SHA-512=[iterations=8192,password=carol-secret]'
    const made = await configs('admin', '--alter', '--add-config', added, ...carol)
    expect(made).toContain('Completed updating config for user carol')
    const shown = await configs('admin', '--describe', ...carol)
    expect(shown).toContain('SCRAM-SHA-512=iterations=8192')
    expect(server?.security.listUsers().map(({ name }) => name)).toEqual(['admin', 'carol'])
  })

  test('kafka-acls makes, lists and removes rules, which are in force', async () => {
    const rule = ['--allow-principal', 'User:carol', '--operation', 'Read', '--topic', 'ord']
    const prefixed = ['--resource-pattern-type', 'prefixed']
    const made = await acls('--add', ...rule, ...prefixed)
    expect(made).toContain('ResourcePattern(resourceType=TOPIC, name=ord, patternType=PREFIXED)')
    expect(server?.security.listAcls()).toEqual([
      {
        ...{ resourceType: 'topic', resourceName: 'ord', pattern: 'prefixed' },
        ...{ principal: 'User:carol', host: '*', operation: 'read', permission: 'allow' },
      },
    ])
    const listed = await acls('--list', '--topic', 'orders', '--resource-pattern-type', 'match')
    expect(listed).toContain('(principal=User:carol, host=*, operation=READ, permissionType=ALLOW)')
    const refused = await configs('carol', '--describe', '--entity-type', 'users')
    expect(refused).toContain('ClusterAuthorizationException')
    await acls('--remove', '--force', ...rule, ...prefixed)
    expect(server?.security.listAcls()).toEqual([])
  })

  const why = kcatFound.available ? '' : ` (skipped: ${kcatFound.reason})`
  const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']
  test.skipIf(!kcatFound.available).each(mechanisms)(
    `kcat logs in by %s${why}`,
    async (mechanism) => {
      if (!kcatFound.available) throw new Error(kcatFound.reason)
      const { command, environment } = kcatFound.program
      const kcat = (password: string, args: readonly string[], input = '') => {
        const settings = {
          'security.protocol': 'SASL_SSL',
          'ssl.ca.location': certificateFile,
          'sasl.mechanism': mechanism,
          'sasl.username': 'admin',
          'sasl.password': password,
        }
        const all = Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`])
        const address = ['-b', server?.bootstrapServers ?? '']
        const given = { timeoutMs: 20_000, environment, input }
        return runProcess(command, [...address, ...all, ...args], given)
      }
      const produced = await kcat('admin-secret', ['-P', '-t', 'orders'], `by ${mechanism}\n`)
      expect(produced.exitCode).toBe(0)
      const read = await kcat('admin-secret', ['-C', '-t', 'orders', '-o', '-1', '-e', '-q'])
      expect(read.stdout).toBe(`by ${mechanism}\n`)
      const refused = await kcat('wrong', ['-L', '-m', '2'])
      expect(refused.exitCode).not.toBe(0)
    },
  )
}
