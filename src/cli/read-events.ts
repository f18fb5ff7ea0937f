// Server-sent events out of the body of an answer. In: bytes as they come. Out: whole events.
// Called by follow.ts.

export interface ServerEvent {
  event: string
  /** Empty: it has none. */
  id: string
  data: string
}

/** Reads events to the end of the body. An event that the end cuts off is left out. */
export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of body) {
    // A line end that is cut in two is put together by the next round.
    text = (text + decoder.decode(bytes, { stream: true })).replaceAll('\r\n', '\n')
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const event = eventOf(block)
      if (event.data !== '') yield event
    }
  }
}

function eventOf(block: string): ServerEvent {
  const event: ServerEvent = { event: 'message', id: '', data: '' }
  const data: string[] = []
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'event' || field === 'id') event[field] = value
  }
  return { ...event, data: data.join('\n') }
}
