// Narrowing the list further: by states, and by an attribute that runs have set.
import { useState } from 'react'
import { Dialog } from '../../parts/Dialog'
import { StateIcon, stateWord } from '../../parts/State'
import type { RunsSearch } from '../../routes'
import { words } from '../../words'

const w = words.runs
const STATES = ['incident', 'running', 'waiting', 'paused', 'failed', 'completed', 'continued', 'cancelled', 'terminated']

export function Narrowing({ search, narrow, close }: { search: RunsSearch; narrow: (change: Partial<RunsSearch>) => void; close: () => void }) {
  const [states, setStates] = useState<string[]>(search.state ?? [])
  const [name, setName] = useState('')
  const [value, setValue] = useState('')
  const nameless = value !== '' && name.trim() === ''
  const apply = (event: React.FormEvent) => {
    event.preventDefault()
    if (nameless) return
    const attribute = name.trim() === '' ? search.attribute : [...new Set([...(search.attribute ?? []), `${name.trim()}=${value}`])]
    narrow({ state: states.length > 0 ? states : undefined, view: states.length > 0 ? undefined : search.view, attribute })
    close()
  }
  return (
    <Dialog title={w.filter} close={close}>
      <form onSubmit={apply}>
        <div className="in">
          <fieldset className="pickstates">
            <legend>{w.state}</legend>
            {STATES.map((state) => (
              <label key={state} className="row small">
                <input type="checkbox" checked={states.includes(state)} onChange={(event) => setStates(event.target.checked ? [...states, state] : states.filter((each) => each !== state))} />
                <StateIcon state={state} />{stateWord(state)}
              </label>
            ))}
          </fieldset>
          <div className="attribute">
            <label className="fld">{w.attributeName}<input className="inp mono" value={name} aria-invalid={nameless} onChange={(event) => setName(event.target.value)} /></label>
            <label className="fld">{w.attributeValue}<input className="inp mono" value={value} onChange={(event) => setValue(event.target.value)} /></label>
          </div>
          <p className="tiny faint" style={{ marginTop: 6 }}>{w.attributeHint}</p>
        </div>
        <footer>
          {nameless && <span className="failed word small grow" role="alert">{w.nameless}</span>}
          <button type="button" className="btn" onClick={close}>{words.run.back}</button>
          <button className="btn primary">{w.apply}</button>
        </footer>
      </form>
    </Dialog>
  )
}
