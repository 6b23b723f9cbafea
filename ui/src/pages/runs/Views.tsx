// The views of the list as tabs: those that everybody needs, and those that somebody saved.
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { overviewQuery } from '../../api/queries'
import { Dialog } from '../../parts/Dialog'
import { Icon } from '../../parts/Icon'
import type { RunsSearch } from '../../routes'
import { words } from '../../words'
import { dropView, saveView, useViews } from './views'

const w = words.runs

export function Views({ search }: { search: RunsSearch }) {
  const { data } = useQuery(overviewQuery)
  const saved = useViews()
  const [naming, setNaming] = useState(false)
  const count = (...states: string[]) => states.reduce((sum, state) => sum + (data?.counts[state] ?? 0), 0)
  const views = [
    [undefined, w.all, 0], ['needs', w.needs, count('incident')], ['open', w.open, count('incident', 'running', 'waiting', 'paused')],
    ['failed', w.failed, count('failed')], ['done', w.done, count('completed')],
  ] as const
  const { peek: _, ...kept } = search
  const at = saved.find((each) => same(each.search, kept))
  return (
    <nav className="tabs" aria-label={w.views}>
      {views.map(([view, name, n]) => (
        <Link key={name} to="/runs" activeOptions={{ exact: true, explicitUndefined: true }} search={{ ...(search.workflow && !at ? { workflow: search.workflow } : {}), ...(view ? { view } : {}) }} aria-current={!at && search.view === view && !search.state ? 'page' : undefined}>
          {name} {view && <span className="n">{n.toLocaleString()}</span>}
        </Link>
      ))}
      {saved.map((each) => (
        <span key={each.name} className="saved">
          <Link to="/runs" activeOptions={{ exact: true, explicitUndefined: true }} search={each.search} aria-current={at === each ? 'page' : undefined}>{each.name}</Link>
          {at === each && <button className="plain" aria-label={w.dropView(each.name)} onClick={() => dropView(each.name)}><Icon name="x" small /></button>}
        </span>
      ))}
      {!at && Object.values(kept).some((each) => each !== undefined) && <button className="plain save" onClick={() => setNaming(true)}><Icon name="plus" small />{w.saveView}</button>}
      {naming && <Naming search={kept} close={() => setNaming(false)} />}
    </nav>
  )
}

function same(one: RunsSearch, other: RunsSearch): boolean {
  const text = (search: RunsSearch) => JSON.stringify(Object.entries(search).filter(([, value]) => value !== undefined).sort(([a], [b]) => a.localeCompare(b)))
  return text(one) === text(other)
}

function Naming({ search, close }: { search: RunsSearch; close: () => void }) {
  const [name, setName] = useState('')
  const save = (event: React.FormEvent) => {
    event.preventDefault()
    if (name.trim() === '') return
    saveView(name.trim(), search)
    close()
  }
  return (
    <Dialog title={w.saveView} close={close}>
      <form onSubmit={save}>
        <div className="in"><label className="fld" style={{ marginTop: 0 }}>{w.viewName} <span className="faint">{w.viewHint}</span><input className="inp" maxLength={40} value={name} onChange={(event) => setName(event.target.value)} /></label></div>
        <footer>
          <button type="button" className="btn" onClick={close}>{words.run.back}</button>
          <button className="btn primary" disabled={name.trim() === ''}>{w.save}</button>
        </footer>
      </form>
    </Dialog>
  )
}
