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
  const calls = [...picture.calls, ...rows(plain, picture.run.started_at)].sort((a, b) => a.began_at - b.began_at)
  return { ...picture, calls, children, plain: null }
}

const bytes = new TextEncoder()

function rows(plain: PlainCalls, start: number): CallView[] {
  return plain.key.map((key, i) => {
    const began = start + plain.began[i]!
    const started = began + plain.waited[i]!
    const ended = started + plain.ran[i]!
    const value = { encoding: '', bytes: 0, cut: true, seq: plain.seq[i]! }
    const result = plain.result[i]
    return {
      kind: 'step', key, name: plain.names[plain.name[i]!]!, state: 'completed', began_at: began, ended_at: ended, number: Number(/#(\d+)$/.exec(key)?.[1] ?? 0) + 1, attempts: 1,
      tries: [{ number: 1, started_at: started, ended_at: ended, worker: plain.workers[plain.worker[i]!]! }], input: { ...value, field: 'input' }, result: result == null ? { ...value, field: 'result' } : { encoding: 'json', bytes: bytes.encode(result).length, value: parsed(result) },
    }
  })
}
