// The bar above every page: where one is, whether it is live, search, one primary button.
import type { ReactNode } from 'react'
import { useEffect } from 'react'
import { useStray } from '../api/allowed'
import { useConnection } from '../api/live'
import { clock } from '../parts/format'
import { Icon } from '../parts/Icon'
import { words } from '../words'
import { useFrame } from './opening'
import { StartButton } from './StartButton'
import { Switcher } from './Switcher'

export function Top({ title, crumbs, children, tools, primary, start = false }: { title: string; crumbs?: ReactNode; children?: ReactNode; tools?: ReactNode; primary?: ReactNode; start?: boolean }) {
  const { open } = useFrame()
  useEffect(() => {
    document.title = `${title} · ${words.product}`
  }, [title])
  return (
    <header className="top">
      {crumbs ?? <h1>{title}</h1>}
      {children}
      <span className="grow" />
      <Switcher />
      <Live />
      {tools}
      <button className="find wide" style={{ width: 196 }} onClick={() => open('palette')}>
        <Icon name="search" small />
        <span className="grow cut" style={{ textAlign: 'left' }}>{words.frame.search}</span>
        <kbd aria-hidden="true">⌘K</kbd>
      </button>
      {primary}
      {start && <StartButton />}
    </header>
  )
}

function Live() {
  const { lost, asOf } = useConnection()
  // Whoever has no role here hears of nothing, and not because the server is away.
  const stray = useStray()
  if (stray) return <span className="live none" role="status">{words.frame.noRole(stray.namespace)}</span>
  if (lost) {
    return (
      <span className="live lost" role="status">
        <Icon name="retrying" small />
        {asOf === 0 ? words.frame.reconnecting : words.frame.lost(clock(asOf))}
      </span>
    )
  }
  return <span className="live">{words.frame.live}</span>
}
