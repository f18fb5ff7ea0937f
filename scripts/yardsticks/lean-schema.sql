-- Tables of the lean yardstick: typed contacts with one unique key, and an outcome for every row.

CREATE TABLE contacts (
  id bigint GENERATED ALWAYS AS IDENTITY,
  external_id text NOT NULL,
  organization text NOT NULL,
  first_name text NOT NULL,
  last_name text,
  title text,
  contact_type text,
  important boolean,
  emails text[],
  phones text[],
  notes text,
  tags text[],
  archived boolean,
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT contacts_pkey PRIMARY KEY (id),
  CONSTRAINT contacts_external_id_key UNIQUE (external_id)
) WITH (fillfactor = 90);

CREATE TABLE outcomes (
  import_id integer NOT NULL,
  row_number integer NOT NULL,
  outcome text NOT NULL,
  record_id bigint,
  problem text,
  CONSTRAINT outcomes_pkey PRIMARY KEY (import_id, row_number)
);
