// The states of imports and every move between them, as a page of the service: /docs/states.
// Made from status.ts, handed to the API's documents by app.ts.

import type { DocPage } from '../platform/api-docs.ts'
import { importStates, moves, stateTexts } from './status.ts'

/** The page; a state's row has the state's name as its id. */
export const statesPage: DocPage = {
  url: '/docs/states',
  title: 'States of imports',
  tables: [
    {
      title: 'States',
      heads: ['State', 'Meaning'],
      rows: importStates.map((state) => ({ id: state, cells: [state, stateTexts[state]] }))
    },
    {
      title: 'Moves',
      heads: ['From', 'To', 'When'],
      rows: importStates.flatMap((from) =>
        Object.entries(moves[from]).map(([to, when]) => ({
          id: `${from}-${to}`,
          cells: [from, to, when]
        }))
      )
    }
  ]
}
