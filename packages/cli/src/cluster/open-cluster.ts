import { type ClusterVarve, openVarve } from '@varve/broker'
import { clusterPartsOf, type OpenClusterParts } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { readGivenFile } from '../given-file.ts'
import { type ClusterPlace, clientOptionsOf } from './client-properties.ts'

/** Rejects with ClusterUnavailableError, InvalidArgumentError, and as `openVarve` does. */
export async function openCluster({
  bootstrapServer,
  commandConfig,
}: ClusterPlace): Promise<ClusterVarve> {
  const text =
    commandConfig === null ? '' : readGivenFile('--command-config', commandConfig).toString('utf8')
  const { isTls, cluster } = clientOptionsOf(text)
  return openVarve(`kafka${isTls ? '+tls' : ''}://${bootstrapServer}`, { cluster })
}

/** What an open cluster is made of. */
export function partsOf(varve: ClusterVarve): OpenClusterParts {
  const parts = clusterPartsOf(varve)
  if (parts === null) throw new InvalidArgumentError('varve', varve, 'must be an open cluster')
  return parts
}
