// Puts a text on the clipboard, and says whether it is there: a page that came without TLS has none.
import { words } from '../words'
import { say } from './toasts'

export function copy(text: string, copied: string = words.run.copied): void {
  const clipboard = navigator.clipboard as Clipboard | undefined
  const refused = () => say(words.run.notCopied, true)
  if (clipboard === undefined) refused()
  else void clipboard.writeText(text).then(() => say(copied), refused)
}
