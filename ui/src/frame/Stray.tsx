// An address in a namespace that is not there, or in which whoever looks has no role: which of the two, nobody is told.
import { useEffect } from 'react'
import { addressIn, atHome, namespace, remember } from '../api/place'
import type { SessionView } from '../api/schema'
import { EmptyFace } from '../parts/Faces'
import { words } from '../words'

const w = words.namespaces

export function Stray({ session }: { session: SessionView }) {
  const first = session.namespaces[0]
  // Who named none is led to where they may look.
  const led = atHome && first !== undefined
  useEffect(() => {
    if (!led) return
    remember(first, session.own)
    location.replace(addressIn(first, session.own))
  }, [led, first, session.own])
  useEffect(() => {
    document.title = `${w.stray} · ${words.product}`
  }, [])
  if (led) return <main id="content" />
  return (
    <main id="content" tabIndex={-1}>
      <header className="top"><h1>{w.stray}</h1></header>
      <EmptyFace title={w.strayIn(session.namespace)} hint={first === undefined ? w.none : w.strayHint}>
        <div className="row">
          {session.namespaces.map((each) => <a key={each} className="btn mono" href={addressIn(each, session.own)} onClick={() => remember(each, session.own)}>{each}</a>)}
          {namespace === '' && <a className="btn" href="settings">{words.pages.settings}</a>}
        </div>
      </EmptyFace>
    </main>
  )
}
