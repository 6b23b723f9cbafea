// Asks a run a query, which changes nothing: also one that has ended. The answer says how old it is, and can be asked for again.
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ask, serverNow } from '../../api/client'
import { queriesQuery } from '../../api/queries'
import type { HandlerView, RunView } from '../../api/schema'
import { Dialog } from '../../parts/Dialog'
import { EmptyFace, ErrorFace } from '../../parts/Faces'
import { Json } from '../../parts/Json'
import { Ago } from '../../parts/Time'
import { words } from '../../words'
import { byKeys, Fields, Footer, Refused, useQuestion } from './question'
import { Copy } from './UpdateForm'

const w = words.query

export default function QueryForm({ run, close }: { run: RunView; close: () => void }) {
  const { data, error, refetch } = useQuery(queriesQuery(run.run))
  return (
    <Dialog title={w.title(run.id)} close={close}>
      {!data && !error && <p className="in dim">{words.faces.loading} …</p>}
      {!data && error && <ErrorFace error={error} retry={() => void refetch()} />}
      {data?.length === 0 && <EmptyFace title={w.none} hint={w.noneHint} code={w.sample} />}
      {data && data.length > 0 && <Form run={run} taken={data} close={close} />}
    </Dialog>
  )
}

type State = { answer?: { value: unknown; at: number }; error?: unknown; busy: boolean }

function Form({ run, taken, close }: { run: RunView; taken: HandlerView[]; close: () => void }) {
  const [state, setState] = useState<State>({ busy: false })
  const asked = useRef<AbortController>(null)
  const forget = useCallback(() => {
    asked.current?.abort()
    asked.current = null
    setState({ busy: false })
  }, [])
  const question = useQuestion(taken, forget)
  const askIt = async () => {
    if (asked.current || !question.fits()) return
    const { signal } = (asked.current = new AbortController())
    setState(({ answer }) => ({ ...(answer && { answer }), busy: true }))
    try {
      const { value } = await ask('query_run', { path: { run: run.run }, body: question.body(), signal })
      if (!signal.aborted) setState({ answer: { value, at: serverNow() }, busy: false })
    } catch (error) {
      if (!signal.aborted) setState((old) => ({ ...old, error, busy: false })) // the last answer stays, and says how old it is
    }
    if (!signal.aborted) asked.current = null
  }
  useEffect(() => () => asked.current?.abort(), [])
  // It only reads: what needs no arguments is asked at once.
  const open = question.of.parameters.length > 0
  useEffect(() => {
    if (!open) void askIt()
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [question.of])
  const { answer, error, busy } = state
  return (
    <form {...byKeys(() => void askIt())}>
      <div className="in">
        <Fields question={question} which={w.which} more={false} />
        {answer && (
          <section className={`answered ${busy ? 'old' : ''}`} aria-label={w.answer} aria-busy={busy}>
            <div className="row"><h3 className="grow">{w.answer} <span className="faint"><Ago at={answer.at} /></span></h3><Copy value={answer.value} /></div>
            <Json value={answer.value} />
          </section>
        )}
        {error !== undefined && <Refused error={error} />}
        <p className="sr" role="status">{busy ? w.asking : answer ? w.has : ''}</p>
      </div>
      <Footer question={question} close={close} leave={words.frame.close} label={busy ? w.asking : answer || error ? w.again : w.ask} busy={busy} />
    </form>
  )
}
