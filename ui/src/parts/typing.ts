// What is typed into a field whose text stands in the address: the address follows once nobody types for a moment.
import { useEffect, useRef, useState } from 'react'

/** Milliseconds without a key after which it does. */
const REST = 200

/** The text of the field. `wanted`: what the address is to have of it; `tell` is the same function in each round. */
export function useTyped(there: string, tell: (wanted: string) => void, wanted: (text: string) => string = (text) => text): [string, (text: string) => void] {
  const [text, setText] = useState(there)
  const told = useRef(there)
  useEffect(() => {
    if (there !== told.current) setText((told.current = there))
  }, [there])
  const next = wanted(text)
  useEffect(() => {
    if (next === told.current) return
    const wait = setTimeout(() => {
      told.current = next
      tell(next)
    }, REST)
    return () => clearTimeout(wait)
  }, [text, next, tell])
  return [text, setText]
}
