// `callback_url`: an endpoint for one import alone, made in the transaction that makes the import, so
// that it hears of everything from its creation on. It hears as well of the import that applies it, where
// it is a dry run, and of its undos and redos (events/store.ts). Called by accepting uploads (app.ts
// joins them).

import type { Tx } from '../../platform/db.ts'
import type { Secrets } from '../../platform/secrets.ts'
import { makeWebhookSecret } from '../../platform/webhook-signature.ts'
import { defaults } from './change-endpoints.ts'
import { insertEndpoint } from './store.ts'

/** Makes the endpoint. In: an address and a secret that were checked. Out: what to say of it. */
export async function createCallback(
  secrets: Secrets,
  tx: Tx,
  asked: {
    account_id: number
    key_id: number
    import_id: number
    url: string
    /** null: one is made. */
    secret: string | null
  }
): Promise<{ webhook_id: number; url: string; secret: string }> {
  const { account_id, key_id: created_by, import_id, url } = asked
  const secret = asked.secret ?? makeWebhookSecret()
  const made = { ...defaults, account_id, created_by, import_id, url, secret: secrets.seal(secret) }
  const { id } = await insertEndpoint(tx, made)
  return { webhook_id: id, url, secret }
}
