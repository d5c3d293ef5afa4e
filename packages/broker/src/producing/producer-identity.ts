/** Under which producer id and epoch batches are numbered. */
export interface ProducerIdentity {
  readonly producerId: number
  readonly producerEpoch: number
}

/** Where a producer gets its identity. */
export interface IdentitySource {
  /**
   * An identity that nobody else has.
   *
   * @param fenced called when somebody else has got it, or is about to: nothing more may be sent
   */
  take(fenced: (error: unknown) => void): Promise<ProducerIdentity>
  /**
   * Where it cannot be asked what has arrived: an identity to go on with after something was sent
   * of which that is not known.
   */
  renew?(identity: ProducerIdentity): Promise<ProducerIdentity>
  /** The producer has ended. */
  giveBack(identity: ProducerIdentity): void
}

/** A batch that is not numbered. */
export const noIdentity: ProducerIdentity = { producerId: -1, producerEpoch: -1 }
