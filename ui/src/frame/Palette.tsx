// The command palette: runs by id, workflows, pages, and what can be done on this page.
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { go } from '../api/place'
import { runsQuery, sessionQuery, workflowsQuery } from '../api/queries'
import { Dialog } from '../parts/Dialog'
import { Icon } from '../parts/Icon'
import { StateIcon } from '../parts/State'
import { words } from '../words'
import type { Action } from './opening'
import type { PaletteProps } from './PaletteToCome'

interface Entry {
  key: string
  icon: ReactNode
  text: string
  hint: string
  mono?: boolean
  go: () => void
}

export default function Palette({ close, actions, typed }: PaletteProps) {
  // What was typed before this code had come; the next time, nothing was.
  const [text, setText] = useState(typed.current)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    typed.current = ''
    input.current?.setSelectionRange(text.length, text.length)
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [])
  // By its key: further entries may come before it. Of none that is there, the first is meant.
  const [picked, setPicked] = useState<string>()
  const entries = useEntries(text.trim(), actions)
  const chosen = Math.max(entries.findIndex((entry) => entry.key === picked), Math.min(0, entries.length - 1))
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' })
  }, [chosen])
  const go = (entry: Entry | undefined) => {
    close()
    entry?.go()
  }
  const press = (event: React.KeyboardEvent) => {
    if (event.key === 'ArrowDown') setPicked(entries[Math.min(chosen + 1, entries.length - 1)]?.key)
    else if (event.key === 'ArrowUp') setPicked(entries[Math.max(chosen - 1, 0)]?.key)
    else if (event.key === 'Enter') go(entries[chosen])
    else return
    event.preventDefault()
  }
  return (
    <Dialog title={words.palette.label} close={close} className="palette" bare>
      <input
        ref={input}
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={chosen < 0 ? undefined : `palette-${chosen}`}
        aria-label={words.palette.label}
        placeholder={words.palette.hint}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setPicked(undefined)
        }}
        onKeyDown={press}
      />
      <ul ref={list} id="palette-list" role="listbox" aria-label={words.palette.label}>
        {entries.map((entry, i) => (
          <li key={entry.key} id={`palette-${i}`} role="option" aria-selected={i === chosen} onMouseMove={(event) => (event.movementX || event.movementY) && setPicked(entry.key)} onClick={() => go(entry)}>
            {entry.icon}
            <span className={`grow cut ${entry.mono ? 'mono' : ''}`}>{entry.text}</span>
            <span className="tiny faint">{entry.hint}</span>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function useEntries(text: string, actions: Action[]): Entry[] {
  const navigate = useNavigate()
  const runs = useQuery({ ...runsQuery(text === '' ? { limit: 5 } : { id: text, limit: 8 }), placeholderData: keepPreviousData })
  const workflows = useQuery(workflowsQuery)
  // Until the answer comes: of what other words have found, what these find too. Enter goes to the first.
  const found = (runs.data?.runs ?? []).filter((run) => run.id.startsWith(text))
  const { namespaces = [], namespace, own = '' } = useQuery(sessionQuery).data ?? {}
  const others = namespaces.filter((name) => name !== namespace)
  const fits = (name: string) => name.toLowerCase().includes(text.toLowerCase())
  const pages = [
    ['/overview', words.pages.overview, 'overview'], ['/runs', words.pages.runs, 'runs'],
    ['/workflows', words.pages.workflows, 'flow'], ['/schedules', words.pages.schedules, 'cal'], ['/tasks', words.pages.tasks, 'inbox'], ['/workers', words.pages.workers, 'worker'], ['/settings', words.pages.settings, 'gear'],
  ] as const
  return [
    ...actions.filter((each) => fits(each.label)).map((each) => ({ key: `a${each.label}`, icon: <Icon name="play" small />, text: each.label, hint: each.keys ?? words.palette.action, go: each.act })),
    ...found.map((run) => ({
      key: `r${run.run}`, icon: <StateIcon state={run.state} />, text: run.id, mono: true, hint: run.workflow,
      go: () => void navigate({ to: '/runs/$run', params: { run: String(run.run) } }),
    })),
    ...(workflows.data ?? []).filter((each) => fits(each.name)).slice(0, 6).map((each) => ({
      key: `w${each.name}`, icon: <Icon name="flow" small />, text: each.name, mono: true, hint: words.palette.workflow,
      go: () => void navigate({ to: '/workflows', search: { name: each.name } }),
    })),
    ...pages.filter(([, name]) => fits(name)).map(([to, name, icon]) => ({ key: `p${to}`, icon: <Icon name={icon} small />, text: name, hint: words.palette.page, go: () => void navigate({ to }) })),
    ...others.filter((name) => text !== '' && fits(name)).slice(0, 6).map((name) => ({
      key: `n${name}`, icon: <Icon name="right" small />, text: name, mono: true, hint: words.palette.namespace,
      go: () => go(name, own),
    })),
    ...(text === '' ? [] : [{ key: 'all', icon: <Icon name="search" small />, text: words.palette.all(text), hint: '', go: () => void navigate({ to: '/runs', search: { text } }) }]),
  ]
}
