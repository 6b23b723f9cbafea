// A recorded value as a tree: keys aligned, one level open, long texts cut, lists of objects as tables.
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState, type ReactNode } from 'react'
import { isNumber } from '../api/exact'
import { valueQuery } from '../api/queries'
import type { ValueView } from '../api/schema'
import { words } from '../words'
import { size } from './format'
import './json.css'

const LONG = 200
/** Members shown at first; a value may hold a hundred thousand. */
const MOST = 100

/** `run`: whose it is, so that what was too large to be sent along can be asked for. */
export function Value({ value, run }: { value: ValueView; run?: number }) {
  if (value.cut && run !== undefined && value.seq != null) return <Loadable key={`${run} ${value.seq} ${value.field}`} value={value} run={run} show={(loaded) => <Value value={loaded} />} />
  if (value.cut) return <p className="tiny dim">{words.json.cut(size(value.bytes))}</p>
  if (!('value' in value)) return <p className="tiny dim">{words.json.sealed}</p>
  return <Json value={value.value} />
}

/** Bytes up to which a value is loaded without being asked for. */
const SMALL = 16_384

/** A large value says its size, and is loaded on request. */
export function Loadable({ value, run, show }: { value: ValueView; run: number; show: (loaded: ValueView) => ReactNode }) {
  const [wanted, setWanted] = useState(value.bytes <= SMALL)
  const { data, error, isFetching, refetch } = useQuery({ ...valueQuery(run, value.seq ?? 0, value.field ?? ''), enabled: wanted })
  if (data) return <>{show(data)}</>
  return (
    <>
      <p className="tiny dim loadable">
        {value.bytes > 0 && words.json.cut(size(value.bytes))}
        <button className="btn" disabled={isFetching} onClick={() => (error ? void refetch() : setWanted(true))}>{isFetching ? words.faces.loading : words.json.load}</button>
      </p>
      {error && <p className="tiny err">{error.message}</p>}
    </>
  )
}

export function Json({ value }: { value: unknown }) {
  return (
    <div className="json" tabIndex={0} role="group" aria-label="JSON">
      {isBranch(value) ? <Members value={value} depth={0} /> : <Leaf value={value} />}
    </div>
  )
}

type Branch = Record<string, unknown> | unknown[]

function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0
}

function Members({ value, depth }: { value: Branch; depth: number }) {
  const [most, setMost] = useState(MOST)
  const entries = Object.entries(value)
  const table = useMemo(() => (Array.isArray(value) ? columns(value) : null), [value])
  if (table) return <Table rows={value as Record<string, unknown>[]} columns={table} />
  const widest = Math.min(20, Math.max(...entries.slice(0, most).map(([key]) => key.length)))
  return (
    <>
      {entries.slice(0, most).map(([key, member]) => (
        <Member key={key} name={key} value={member} depth={depth} width={widest} />
      ))}
      {entries.length > most && (
        <button className="plain more" onClick={() => setMost(most * 10)}>
          {words.json.more(entries.length - most)}
        </button>
      )}
    </>
  )
}

function Member({ name, value, depth, width }: { name: string; value: unknown; depth: number; width: number }) {
  const [open, setOpen] = useState(depth < 1)
  if (!isBranch(value)) {
    return (
      <div className="m" style={{ paddingLeft: depth * 14 + 14 }}>
        <span className="k" style={{ minWidth: `${width + 1}ch` }}>{name}</span>
        <Leaf value={value} />
      </div>
    )
  }
  return (
    <>
      <button className="plain m" style={{ paddingLeft: depth * 14 }} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="p" aria-hidden="true">{open ? '▾' : '▸'}</span>
        <span className="k" style={{ minWidth: `${width + 1}ch` }}>{name}</span>
        <span className="p">{open ? (Array.isArray(value) ? words.json.items(value.length) : '') : preview(value)}</span>
      </button>
      {open && <Members value={value} depth={depth + 1} />}
    </>
  )
}

function Leaf({ value }: { value: unknown }) {
  const [whole, setWhole] = useState(false)
  if (typeof value !== 'string') {
    const text = JSON.stringify(value)
    return <span className={value === null ? 'p' : 'v'}>{text}</span>
  }
  const cut = value.length > LONG && !whole
  return (
    <span className="s">
      "{cut ? value.slice(0, LONG) : value}"
      {cut && (
        <button className="plain more" onClick={() => setWhole(true)}>
          {' '}… {words.json.show(size(value.length))}
        </button>
      )}
    </span>
  )
}

function preview(value: Branch): string {
  if (Array.isArray(value)) return `[ ${words.json.items(value.length)} ]`
  const [first, ...rest] = Object.entries(value)
  if (first === undefined) return '{}'
  const shown = isBranch(first[1]) ? '…' : JSON.stringify(first[1])
  const short = shown.length > 28 ? `${shown.slice(0, 27)}…` : shown
  return `{ ${first[0]}: ${short}${rest.length ? `, ${words.json.more(rest.length)}` : ''} }`
}

/** The columns of a list of like objects with plain members; null when it is none. */
function columns(value: unknown[]): string[] | null {
  const first = value[0]
  if (value.length < 2 || !isBranch(first) || Array.isArray(first)) return null
  const names = Object.keys(first)
  const like = value.every((each) => isBranch(each) && !Array.isArray(each) && Object.keys(each).length === names.length && names.every((name) => name in each && !isBranch(each[name])))
  return like && names.length <= 6 ? names : null
}

function Table({ rows, columns }: { rows: Record<string, unknown>[]; columns: string[] }) {
  const [most, setMost] = useState(10)
  return (
    <div className="t">
      <table>
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most).map((row, i) => (
            <tr key={i}>
              {columns.map((name) => (
                <td key={name} className={isNumber(row[name]) ? 'num' : ''} title={String(row[name])}>
                  {typeof row[name] === 'string' ? row[name] : JSON.stringify(row[name])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && (
        <button className="plain more" onClick={() => setMost(most * 10)}>
          {words.json.more(rows.length - most)}
        </button>
      )}
    </div>
  )
}
