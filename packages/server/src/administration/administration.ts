import type { ServerContext } from '../base/server-context.ts'
import { BrokerSettings } from './broker-settings.ts'
import { ClientQuotas } from './client-quotas.ts'
import { GroupConfigs } from './group-configs.ts'

/** What administrators change beside topics, and what stays when the server is started again. */
export class Administration {
  readonly brokerSettings: BrokerSettings
  readonly quotas: ClientQuotas
  readonly groupConfigs: GroupConfigs

  private constructor(
    brokerSettings: BrokerSettings,
    quotas: ClientQuotas,
    groupConfigs: GroupConfigs,
  ) {
    this.brokerSettings = brokerSettings
    this.quotas = quotas
    this.groupConfigs = groupConfigs
  }

  /** Rejects with CorruptServerStateError. */
  static async open({ state, parts, options, logger }: ServerContext): Promise<Administration> {
    const quotas = ClientQuotas.load(state)
    const settings = await BrokerSettings.load(state, parts.topics, (err) => {
      logger.warn({ err }, 'settings of the broker do not fit a topic, and are not in force')
    })
    const groupConfigs = GroupConfigs.load(state, options, settings)
    parts.groups.leadBy((group) => groupConfigs.settingsOf(group))
    return new Administration(settings, quotas, groupConfigs)
  }

  /** The data directory goes on without the server. */
  async close(): Promise<void> {
    await this.brokerSettings.end()
  }
}
