"""A contract's rules compiled to SQL and checked by DuckDB, in one pass over the rows."""
