-- One row per table of the bundle: the columns of its key, in order; nullable if it is no primary key.
select
    table_name,
    constraint_column_names
from duckdb_constraints()
where database_name = 'headlight'
    and constraint_type in ('PRIMARY KEY', 'UNIQUE')
order by table_name
