import { PassThrough, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { StreamInput, StreamOutput } from '../src/process-io.ts'

describe('a stream as input', () => {
  test('gives its chunks, and ends early when the command is interrupted', async () => {
    const stream = new PassThrough()
    const controller = new AbortController()
    const input = new StreamInput(stream, false, controller.signal)
    stream.write('one')
    const chunks: string[] = []
    for await (const chunk of input.chunks()) {
      chunks.push(String(chunk))
      // Nothing more comes: only the interruption can end it.
      setImmediate(() => controller.abort())
    }
    expect(chunks).toEqual(['one'])
    expect(stream.destroyed).toBe(true)
  })

  test('tells of an error that nobody asked for', async () => {
    const stream = new PassThrough()
    const input = new StreamInput(stream, false, new AbortController().signal)
    const reading = (async () => {
      for await (const _ of input.chunks()) throw new Error('there is nothing to read')
    })()
    stream.destroy(new Error('EIO'))
    await expect(reading).rejects.toThrow('EIO')
  })
})

describe('a stream as output', () => {
  test('a write resolves when the stream is done with it, not before', async () => {
    let finish: () => void = () => undefined
    const slow = new Writable({
      write: (_chunk, _encoding, done) => {
        finish = done
      },
    })
    let isDone = false
    const written = new StreamOutput(slow).write('text').then(() => {
      isDone = true
    })
    await new Promise(setImmediate)
    expect(isDone).toBe(false)
    finish()
    await written
  })

  test('a closed pipe is told as such, at that write and at every later one', async () => {
    const closed = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    })
    const output = new StreamOutput(closed)
    await expect(output.write('one')).rejects.toMatchObject({ code: 'VARVE_CLOSED_PIPE' })
    await expect(output.write('two')).rejects.toMatchObject({ code: 'VARVE_CLOSED_PIPE' })
  })

  test('any other failure stays what it is', async () => {
    const full = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error('full'), { code: 'ENOSPC' })),
    })
    await expect(new StreamOutput(full).write('one')).rejects.toMatchObject({ code: 'ENOSPC' })
  })
})
