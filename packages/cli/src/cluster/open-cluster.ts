import { readFileSync } from 'node:fs'
import { type ClusterVarve, openVarve } from '@varve/broker'
import { clusterPartsOf, type OpenClusterParts } from '@varve/broker/serving'
import { InvalidArgumentError } from '@varve/record'
import { type ClusterPlace, clientOptionsOf } from './client-properties.ts'

/** Rejects with ClusterUnavailableError, InvalidArgumentError, and as `openVarve` does. */
export async function openCluster({
  bootstrapServer,
  commandConfig,
}: ClusterPlace): Promise<ClusterVarve> {
  const text = commandConfig === null ? '' : readConfig(commandConfig)
  const { isTls, cluster } = clientOptionsOf(text)
  return openVarve(`kafka${isTls ? '+tls' : ''}://${bootstrapServer}`, { cluster })
}

function readConfig(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isMissing) throw error
    throw new InvalidArgumentError('--command-config', path, 'is not there')
  }
}

/** What an open cluster is made of. */
export function partsOf(varve: ClusterVarve): OpenClusterParts {
  const parts = clusterPartsOf(varve)
  if (parts === null) throw new InvalidArgumentError('varve', varve, 'must be an open cluster')
  return parts
}
