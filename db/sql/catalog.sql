-- One row per object of an attached database, without those of DuckDB itself: its kind and name, its definition.
select 'table ' || schema_name || '.' || table_name as object, sql as definition
from duckdb_tables()
where database_name = $database
    and not internal
union all
select 'view ' || schema_name || '.' || view_name, sql
from duckdb_views()
where database_name = $database
    and not internal
union all
select 'function ' || schema_name || '.' || function_name, ''
from duckdb_functions()
where database_name = $database
    and not internal
union all
select 'sequence ' || schema_name || '.' || sequence_name, ''
from duckdb_sequences()
where database_name = $database
union all
select 'type ' || schema_name || '.' || type_name, ''
from duckdb_types()
where database_name = $database
    and not internal
union all
select 'index ' || schema_name || '.' || index_name, ''
from duckdb_indexes()
where database_name = $database
union all
select 'trigger ' || schema_name || '.' || trigger_name, ''
from duckdb_triggers()
where database_name = $database
union all
select 'schema ' || schema_name, ''
from duckdb_schemas()
where database_name = $database
    and not internal
    and schema_name <> 'main'
