// Deliveries as the documentation shows them; the examples there are made of these.

import type { EventRecord } from '../../src/event-data.ts'
import type { Delivery, SentEvent } from '../../src/notify/send/delivery.ts'

/** The bytes 1 to 32: nobody's secret. */
export const sampleSecret = `whsec_${Buffer.from(Array.from({ length: 32 }, (_, i) => i + 1)).toString('base64')}`

const reference = (id: number, title: string, external_id: string | null = null) => ({
  id,
  title,
  external_id,
  external_ids: {}
})

export const sampleOrganization = {
  ...reference(17, 'Happy Frog', 'ORG-0017'),
  external_ids: { connectwise: '250' }
}

export const sampleContact: EventRecord = {
  record_id: 42,
  type: 'contacts',
  title: 'Ann Lee',
  external_ids: { connectwise: '4711' },
  organization: sampleOrganization,
  changed_fields: { title: { from: null, to: 'Head of IT' } },
  values: {
    external_id: 'c-1',
    organization: sampleOrganization,
    first_name: 'Ann',
    last_name: 'Lee',
    title: 'Head of IT',
    location: reference(23, 'Head Office', 'LOC-0001'),
    contact_type: reference(5, 'Decision maker'),
    emails: ['ann@example.com', 'lee@example.com'],
    phones: ['+442079460018']
  },
  actor: { id: 1, name: 'first key' }
}

export const sampleConfiguration: EventRecord = {
  record_id: 77,
  type: 'configurations',
  title: 'SRV-01',
  external_ids: {},
  organization: sampleOrganization,
  changed_fields: null,
  values: {
    organization: sampleOrganization,
    name: 'SRV-01',
    asset_tag: 'A-0001',
    configuration_type: reference(61, 'Server'),
    configuration_status: reference(62, 'Active'),
    manufacturer: reference(63, 'Sample Devices'),
    model: reference(64, 'Rack 100'),
    serial_number: 'SN-SAMPLE-0001',
    mac_address: '00:00:5E:00:53:01',
    primary_ip: '192.0.2.10',
    default_gateway: '192.0.2.1',
    installed_at: '2026-01-20',
    warranty_expires_at: '2029-01-10',
    location: reference(23, 'Head Office', 'LOC-0001'),
    contact: reference(42, 'Ann Lee', 'c-1')
  },
  actor: null
}

const base = 'https://muster.example.com'

export const recordEvent: SentEvent = {
  id: 'evt_0b8e5b0e-6f0f-4f3c-9d0a-3c1f5d6f6c3e',
  type: 'record.updated',
  timestamp: '2026-01-31T09:30:00.000Z',
  account_id: 1,
  data: { import_id: 7, records: [sampleContact] },
  links: importLinks(7)
}

export const importEvent: SentEvent = {
  id: 'evt_5f3d1c1e-8a55-4b0e-a1de-6f0d3d2b9c11',
  type: 'import.completed',
  timestamp: '2026-01-31T09:30:00.000Z',
  account_id: 1,
  data: {
    import: {
      id: 7,
      type: 'contacts',
      kind: 'import',
      state: 'completed_with_errors',
      dry_run: false,
      file_name: 'contacts.csv',
      counts: { created: 1, updated: 1, unchanged: 0, skipped: 0, rejected: 1, failed: 0 },
      rows_total: 3,
      error: null
    }
  },
  links: importLinks(7)
}

function importLinks(id: number) {
  const self = `${base}/imports/${id}`
  return { import: self, rows: `${self}/rows`, rejects: `${self}/rejects.csv` }
}

/** The delivery of an event, as the first attempt makes it. */
export function sampleDelivery(event: SentEvent, more: Partial<Delivery> = {}): Delivery {
  return {
    event,
    sequence: 12,
    attemptAt: new Date('2026-01-31T09:30:01.200Z'),
    endpoint: { id: 3, secrets: [sampleSecret], headers: {} },
    publicUrl: base,
    ...more
  }
}
