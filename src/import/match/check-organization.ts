// Whether the one organization of a whole file is still there. It was found when the file was accepted,
// and an undo may have deleted it since. Called with the turn, which such an undo waits for.

import { appError } from '../../errors.ts'
import type { Tx } from '../../platform/db.ts'
import type { ImportPlan } from '../resolve/plan.ts'

/** Throws organization_not_found: then the import ends. Asks nothing for files that name no one. */
export async function requireOrganization(
  tx: Tx,
  account_id: number,
  { types, type, options }: ImportPlan
): Promise<void> {
  const { organization_id: id } = options
  const field = type.fields.find(({ name }) => name === type.organization_field)
  if (id === null || !field?.reference) return
  const { rows } = await tx.query<{ found: boolean }>(
    `/* match.has_organization */
    SELECT EXISTS (
      SELECT 1
      FROM records r
      WHERE r.account_id = $1::integer
      AND r.type_id = $2::smallint
      AND r.id = $3::bigint
    ) AS found`,
    [account_id, types.require(field.reference.type).type_id, id]
  )
  if (!rows[0]?.found) throw appError('organization_not_found', { organization: id })
}
