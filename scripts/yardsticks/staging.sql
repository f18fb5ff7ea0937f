-- Where both yardsticks put the file: an ordinary (logged) table, so that a load that fails can be
-- looked at afterwards. Unlogged it would be 1 to 5 % faster. Emptied, untimed, before every run.

CREATE TABLE staging (
  row_number integer GENERATED ALWAYS AS IDENTITY,
  external_id text,
  organization text,
  first_name text,
  last_name text,
  title text,
  contact_type text,
  important text,
  emails text,
  phones text,
  notes text,
  tags text,
  archived text
);
