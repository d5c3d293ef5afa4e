import type { API } from '@platformatic/kafka'
import type { KafkaClient } from './kafka-client.ts'

/** A group of the consumer protocol, as its coordinator tells it. */
export interface ConsumerGroupAnswer {
  readonly errorCode: number
  readonly groupId: string
  readonly groupState: string
  readonly groupEpoch: number
  readonly assignorName: string
  readonly members: readonly ConsumerGroupMemberAnswer[]
}

export interface ConsumerGroupMemberAnswer {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
}

export type ConsumerGroupDescribe = API<
  [groups: readonly string[]],
  { readonly groups: readonly ConsumerGroupAnswer[] }
>

type Parse = Parameters<KafkaClient['createAPI']>[3]
type Reader = Parameters<Parse>[3]

const [apiKey, apiVersion] = [69, 0]

/**
 * ConsumerGroupDescribe, version 0. The client has one, which reads the names of a member's topics
 * as one text and so fails for every group that has members.
 */
export function consumerGroupDescribe(client: KafkaClient): ConsumerGroupDescribe {
  const request = (groups: readonly string[]) =>
    client.Writer.create()
      .appendArray([...groups], (writer, group) => writer.appendString(group), true, false)
      // Not what who asks may do with it.
      .appendBoolean(false)
      .appendTaggedFields()
  return client.createAPI(apiKey, apiVersion, request, (_id, key, version, reader) => {
    // How long an answer was held back.
    reader.readInt32()
    const errors: Record<string, [number, string | null]> = {}
    const groups = reader.readArray((_, index) => {
      const [errorCode, errorMessage] = [reader.readInt16(), reader.readNullableString()]
      if (errorCode !== 0) errors[`/groups/${index}`] = [errorCode, errorMessage]
      return readGroup(reader, errorCode)
    })
    if (Object.keys(errors).length === 0) return { groups }
    throw new client.ResponseError(key, version, errors, { groups })
  })
}

function readGroup(reader: Reader, errorCode: number): ConsumerGroupAnswer {
  const [groupId, groupState] = [reader.readString(), reader.readString()]
  const groupEpoch = reader.readInt32()
  // The epoch of its assignment.
  reader.readInt32()
  const assignorName = reader.readString()
  const members = reader.readArray(() => readMember(reader))
  // What who asks may do with it.
  reader.readInt32()
  return { errorCode, groupId, groupState, groupEpoch, assignorName, members }
}

function readMember(reader: Reader): ConsumerGroupMemberAnswer {
  const [memberId, instanceId] = [reader.readString(), reader.readNullableString()]
  // Its rack, and its epoch.
  reader.readNullableString()
  reader.readInt32()
  const [clientId, clientHost] = [reader.readString(), reader.readString()]
  reader.readArray(() => reader.readString(), true, false)
  // Its regular expression.
  reader.readNullableString()
  // What it has, and what it is to have.
  skipAssignment(reader)
  skipAssignment(reader)
  return { memberId, instanceId, clientId, clientHost }
}

/** Of topics: id, name, partitions. A structure of its own ends with tagged fields. */
function skipAssignment(reader: Reader): void {
  reader.readArray(() => {
    reader.readUUID()
    reader.readString()
    reader.readArray(() => reader.readInt32(), true, false)
  })
  reader.readTaggedFields()
}
