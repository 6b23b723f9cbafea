// Where the application lies, and whose runs its screens are about: said by the address that they were opened with, once.

/** Where the application lies, whatever path a proxy puts before it. */
export const root = new URL(document.baseURI)

const PARAMETER = 'namespace'
const KEPT = 'segue.namespace'

/** Opened at no page: whose runs it shows is what was chosen last in this browser. */
export const atHome = location.pathname.replace(/\/?$/, '/') === root.pathname

/** Empty for the server's own. It stays what it is: another one is another load of the page, so that nothing is mixed up. */
export const namespace = new URLSearchParams(location.search).get(PARAMETER) ?? (atHome ? localStorage.getItem(KEPT) : null) ?? ''

/** The namespace in every address that the application makes; its pages know nothing of it. */
export const carried = {
  input: ({ url }: { url: URL }) => {
    url.searchParams.delete(PARAMETER)
    return url
  },
  output: ({ url }: { url: URL }) => name(url, namespace),
}

/** A URL about a namespace; about the server's own, it names none. */
export function name(url: URL, namespace: string): URL {
  if (namespace !== '') url.searchParams.set(PARAMETER, namespace)
  return url
}

/** The page that is open, without what is of this namespace alone, in another one. `own`: the server's. */
export function addressIn(other: string, own: string): string {
  const page = location.pathname.slice(root.pathname.length).split('/')[0] || 'overview'
  return name(new URL(page, root), other === own ? '' : other).href
}

/** Leads to another namespace, and has the browser open there from now on. */
export function go(other: string, own: string): void {
  remember(other, own)
  location.assign(addressIn(other, own))
}

/** Has the browser open at a namespace from now on, where no address names one. */
export function remember(chosen: string, own: string): void {
  if (chosen === own) localStorage.removeItem(KEPT)
  else localStorage.setItem(KEPT, chosen)
}
