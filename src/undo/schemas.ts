// Shapes of the undo routes, as TypeBox schemas with a text for every property.

import { Type } from 'typebox'

/** POST /imports/{id}/undo and redo; may be left out. */
export const UndoBody = Type.Unsafe<{ dry_run?: boolean } | null>({
  type: ['object', 'null'],
  properties: {
    dry_run: Type.Boolean({
      description:
        'true: nothing is written; the outcomes of the undo say what would become of each record. ' +
        'Left out: false.'
    })
  },
  additionalProperties: false,
  description: 'How to take it back; may be left out.'
})
