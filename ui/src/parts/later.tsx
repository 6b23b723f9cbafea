// Parts of a page whose code is fetched when they are first shown. Not by Suspense: once React has shown a fallback, it
// holds back what comes after it for 300 ms, however soon it is there.
import { useEffect, useReducer, type ComponentType } from 'react'
import { GreyRows } from './Faces'

export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): ComponentType<P> {
  let Found: ComponentType<P> | undefined
  return function Later(props: P) {
    const [error, fetched] = useReducer((_: unknown, problem: unknown) => problem ?? false, undefined)
    useEffect(() => {
      if (Found) return
      load().then((module) => {
        Found = module.default
        fetched(false)
      }, fetched)
    }, [])
    if (error) throw error as Error
    return Found ? <Found {...props} /> : <GreyRows />
  }
}
