import type { ClusterPlace } from './client-properties.ts'

/** Where a verb works: in a data directory of this machine, or on a server. */
export type Home = { readonly data: string } | { readonly place: ClusterPlace }
