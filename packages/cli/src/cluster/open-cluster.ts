import { readFileSync } from 'node:fs'
import { type ClusterVarve, openVarve } from '@varve/broker'
import { type ClusterPlace, clientOptionsOf } from './client-properties.ts'

/** Rejects with ClusterUnavailableError, and as `openVarve` does. */
export function openCluster({
  bootstrapServer,
  commandConfig,
}: ClusterPlace): Promise<ClusterVarve> {
  const text = commandConfig === null ? '' : readFileSync(commandConfig, 'utf8')
  const { isTls, cluster } = clientOptionsOf(text)
  return openVarve(`kafka${isTls ? '+tls' : ''}://${bootstrapServer}`, { cluster })
}
