// An error is text: its type and its message, wherever the failure stands.
import type { FailureView } from '../api/schema'
import { typeName } from './format'

/** The line of a list: `Type: message`, or `cause: Type: message` as the server keeps it with a run. */
export function ErrorLine({ text }: { text: string }) {
  const { type, message } = split(text)
  return (
    <span className="err" title={text}>
      {type !== '' && <b>{type}</b>}
      {type !== '' ? after(message) : message}
    </span>
  )
}

export function FailureLine({ failure }: { failure: FailureView }) {
  return (
    <span className="err">
      <b>{typeName(failure.type)}</b>{after(failure.message)}
    </span>
  )
}

/** The message behind its type; many an error has none. */
export function after(message: string): string {
  return message === '' ? '' : `: ${message}`
}

function split(text: string): { type: string; message: string } {
  const found = /^(?:[a-z-]+: )?(?:step '([^']+)' failed for good at attempt \d+: )?([A-Za-z_][\w.]*): ([\s\S]*)$/.exec(text)
  if (found === null) return { type: '', message: text }
  const step = found[1] === undefined ? '' : `${found[1]} `
  return { type: step + typeName(found[2] ?? ''), message: found[3] ?? '' }
}
