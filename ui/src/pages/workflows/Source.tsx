// A workflow's source with its lines numbered; one of them may be pointed at.
import { useEffect, useRef } from 'react'

export function Source({ text, line }: { text: string; line: number | undefined }) {
  const pointed = useRef<HTMLSpanElement>(null)
  useEffect(() => pointed.current?.scrollIntoView({ block: 'center' }), [line])
  return (
    <pre className="source" tabIndex={0}>
      {text.trimEnd().split('\n').map((each, i) => (
        <span key={i} className={`ln ${i + 1 === line ? 'cur' : ''}`} {...(i + 1 === line ? { ref: pointed, 'aria-current': 'true' as const } : {})}>
          <span className="no" aria-hidden="true">{i + 1}</span>
          {each}
          {'\n'}
        </span>
      ))}
    </pre>
  )
}
