// Starts the screens.
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { startListening } from './api/live'
import { queryClient } from './api/queries'
import { startLeader } from './parts/keys'
import { router } from './routes'
import { applyScheme, chosenScheme, theme, variables } from './theme'
import './theme/tokens.css'
import './theme/base.css'

applyScheme(chosenScheme())
startListening()
startLeader()

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" withGlobalClasses={false}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
