type BufferClass = new (memory: ArrayBufferLike, at: number, sizeBytes: number) => Buffer

/** The class of all buffers, which Node names as the one that views of a buffer are made of. */
const bufferClass = (Buffer as unknown as { readonly [Symbol.species]?: BufferClass })[
  Symbol.species
]

/**
 * A view of memory that `buffer` gives access to, from its byte `at` on: as `subarray`, in a fourth
 * of the time; with two views a record that is what reading records costs most. To ask a Buffer for
 * its `buffer` takes half as long as making a view, so whoever makes many asks once. The range must
 * lie within what the caller may look at: the memory may have other parts.
 */
export function viewIn(buffer: ArrayBufferLike, at: number, sizeBytes: number): Buffer {
  if (bufferClass === undefined) return Buffer.from(buffer, at, sizeBytes)
  return new bufferClass(buffer, at, sizeBytes)
}
