-- The equal-work yardstick runs on Muster's own tables (migrations/*.sql). This adds an account and
-- the keys of a contact as SQL: what record-types/match-keys.ts computes.

INSERT INTO accounts (name) VALUES ('yardstick');

SELECT ensure_partitions(current_date);

CREATE FUNCTION contact_keys(data jsonb, organization_id bigint)
RETURNS TABLE (rule smallint, value text) LANGUAGE sql IMMUTABLE AS $$
  SELECT 1::smallint, organization_id || E'\x1f' || lower(data ->> 'external_id')
  WHERE data ? 'external_id'
  UNION
  SELECT 2::smallint, organization_id || E'\x1f' || lower(address.value)
  FROM jsonb_array_elements_text(data -> 'emails') AS address (value)
  UNION
  SELECT 3::smallint, organization_id || E'\x1f' || (data ->> 'first_name') || E'\x1f' || (data ->> 'last_name')
  WHERE data ? 'first_name' AND data ? 'last_name'
$$;
