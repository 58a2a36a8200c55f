-- One row per table of an attached database: its number of rows, as its file claims.
select table_name, estimated_size
from duckdb_tables()
where database_name = $database
