// An upload whose idempotency key has its answer: read only to tell whether it is the same upload.
// In: what was sent. Out: the text that says what was asked, as acceptUpload tells it. Stores nothing.
// Called by routes.ts.

import type { Config } from '../../config.ts'
import type { Upload } from './accept-upload.ts'
import { bodyBytes, charsetOf } from './read-body.ts'
import { fieldText, fileBytes, partsUntil } from './read-form.ts'
import { queryText } from './read-upload.ts'
import { collectSent } from './sent-content.ts'

/** Reads the upload to its end. Throws what reading throws (malformed_multipart, too_large,
 *  upload_stalled); options are not looked into, as only wrong ones differ from those accepted. */
export async function compareUpload(
  { maxUploadBytes }: Config,
  { body, headers, query, signal }: Upload
): Promise<string> {
  const sent = collectSent()
  const limits = { maxUploadBytes, signal, sent }
  for (const [name, value] of Object.entries(query)) sent.option(name, queryText(value))
  if ('stream' in body) {
    sent.option('charset', charsetOf(headers['content-type']) ?? '')
    await drain(bodyBytes(body.stream, maxUploadBytes, limits))
    return sent.text()
  }
  for await (const part of partsUntil(signal, body.parts)) {
    if (part.type === 'file') await drain(fileBytes(part.file, limits))
    else if (part.fieldname === 'text') sent.bytes(Buffer.from(fieldText(part)))
    else if (part.fieldname !== 'file') sent.option(part.fieldname, fieldText(part))
  }
  return sent.text()
}

async function drain(bytes: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of bytes);
}
