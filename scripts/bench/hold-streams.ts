// A process of its own that holds event streams open, so that reading them does not slow down who
// measures. Started by bench-streams.ts with the address, the key, the import and how many.

import { connect } from 'node:net'

const [url = '', key = '', id = '', count = '0'] = process.argv.slice(2)
const { hostname, port } = new URL(url)
const head = [
  `GET /imports/${id}/events HTTP/1.1`,
  'Host: localhost',
  `Authorization: Bearer ${key}`,
  'Accept: text/event-stream'
].join('\r\n')

let open = 0
let events = 0
for (let n = 0; n < Number(count); n++) {
  const socket = connect(Number(port), hostname, () => socket.write(`${head}\r\n\r\n`))
  let isOpen = false
  socket.on('error', (error) => process.send?.({ error: error.message }))
  socket.setEncoding('latin1').on('data', (text: string) => {
    events += text.split('event: ').length - 1
    if (isOpen || !text.startsWith('HTTP/1.1 200')) return
    isOpen = true
    if (++open === Number(count)) process.send?.({ open })
  })
}
process.on('message', () => process.send?.({ events }, () => process.exit(0)))
