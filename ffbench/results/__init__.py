"""Run records: schema, tables of pair scores, provenance."""
