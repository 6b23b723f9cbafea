// Markdown as far as reports need it, made into elements one by one: whatever else stands in it stays text.
import { Fragment, type ReactNode } from 'react'

const SAFE = /^(https?:|mailto:)/i

/** A link, where its address is of a kind that runs nothing; otherwise its text with the address. */
export function SafeLink({ to, children }: { to: string; children: ReactNode }) {
  if (!SAFE.test(to)) return <>{children} <span className="mono dim">{to}</span></>
  return <a className="link" href={to} target="_blank" rel="noopener noreferrer">{children}</a>
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)/

function inline(text: string): ReactNode {
  const found = INLINE.exec(text)
  if (!found) return text
  const [whole, code, strong, em, label, to] = found
  const made = code !== undefined ? <code>{code}</code> : strong !== undefined ? <b className="b">{inline(strong)}</b> : em !== undefined ? <em>{inline(em)}</em> : <SafeLink to={to!}>{label}</SafeLink>
  return <>{text.slice(0, found.index)}{made}{inline(text.slice(found.index + whole.length))}</>
}

export function Markdown({ text }: { text: string }) {
  const parts = text.split(/^```.*$/m)
  return <div className="md">{parts.map((part, i) => (i % 2 === 1 ? <pre key={i} tabIndex={0}>{part.replace(/^\n/, '')}</pre> : <Fragment key={i}>{part.split(/\n\s*\n/).map((block, j) => <Block key={j} lines={block.split('\n').filter((line) => line.trim() !== '')} />)}</Fragment>))}</div>
}

const ITEM = /^\s*(?:[-*+]|\d+[.)])\s+/

function Block({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null
  const heading = /^(#{1,6})\s+(.*)$/.exec(lines[0]!)
  if (heading) return <><h3>{inline(heading[2]!)}</h3><Block lines={lines.slice(1)} /></>
  if (lines.every((line) => ITEM.test(line))) return <ul>{lines.map((line, i) => <li key={i}>{inline(line.replace(ITEM, ''))}</li>)}</ul>
  return <p>{lines.map((line, i) => <Fragment key={i}>{i > 0 && ' '}{inline(line)}</Fragment>)}</p>
}
