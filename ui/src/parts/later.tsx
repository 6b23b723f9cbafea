// Parts of a page whose code is fetched when they are first shown. Not by Suspense: once React has shown a fallback, it
// holds back what comes after it for 300 ms, however soon it is there.
import { useEffect, useReducer, type ComponentType, type FunctionComponent } from 'react'
import { GreyRows } from './Faces'

/** `Meanwhile` stands there until the code has come. */
export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>, Meanwhile: ComponentType<P> = Rows): FunctionComponent<P> & { preload: () => Promise<void> } {
  let Found: ComponentType<P> | undefined
  /** The router calls it for what a link points at. What could not be fetched is asked for again the next time. */
  const preload = async () => {
    Found = (await load()).default
  }
  function Later(props: P) {
    const [error, fetched] = useReducer((_: unknown, problem: unknown) => problem ?? false, undefined)
    useEffect(() => {
      if (!Found) preload().then(() => fetched(false), fetched)
    }, [])
    if (error) throw error as Error
    return Found ? <Found {...props} /> : <Meanwhile {...props} />
  }
  return Object.assign(Later, { preload })
}

function Rows() {
  return <GreyRows />
}
