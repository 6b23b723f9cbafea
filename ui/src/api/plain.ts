// Steps that simply completed come column by column: here they are calls again, whose values are asked for when looked at.
import { parsed } from './exact'
import type { CallView, PlainCalls, RunPicture } from './schema'

const known = new WeakMap<RunPicture, RunPicture>()

/** The same for the same: what has not changed is not drawn again. */
export function unpacked(picture: RunPicture): RunPicture {
  const found = known.get(picture) ?? unpack(picture)
  known.set(picture, found)
  return found
}

function unpack(picture: RunPicture): RunPicture {
  const children = Object.fromEntries(Object.entries(picture.children ?? {}).map(([key, child]) => [key, unpacked(child)]))
  const plain = picture.plain
  if (!plain || plain.key.length === 0) return { ...picture, children, plain: null }
  const calls = [...picture.calls, ...rows(plain, picture)].sort((a, b) => a.began_at - b.began_at)
  return { ...picture, calls, children, plain: null }
}

const bytes = new TextEncoder()

/** What a call is called in its key: the name of its step or decision; of an explicit key the key itself. */
export function nameOf(key: string): string {
  return key.startsWith('=') ? key.slice(1) : key.slice(key.lastIndexOf('/') + 1).replace(/#.*$/, '').replace(/^decision:/, '')
}

function rows(plain: PlainCalls, picture: RunPicture): CallView[] {
  const start = picture.run.started_at
  const found = new Map<string, number>()
  for (const key of [...plain.key, ...picture.calls.map((call) => call.key)]) found.set(nameOf(key), (found.get(nameOf(key)) ?? 0) + 1)
  return plain.key.map((key, i) => {
    const began = start + plain.began[i]!
    const started = began + plain.waited[i]!
    const ended = started + plain.ran[i]!
    const value = { encoding: '', bytes: 0, cut: true, seq: plain.seq[i]! }
    const result = plain.result[i]
    return {
      kind: 'step', key, name: plain.names[plain.name[i]!]!, state: 'completed', began_at: began, ended_at: ended, alone: found.get(nameOf(key)) === 1, attempts: 1,
      tries: [{ number: 1, started_at: started, ended_at: ended, worker: plain.workers[plain.worker[i]!]! }], input: { ...value, field: 'input' }, result: result == null ? { ...value, field: 'result' } : { encoding: 'json', bytes: bytes.encode(result).length, value: parsed(result) },
    }
  })
}
