-- One row per table of the bundle: the columns of its primary key, in order.
select
    table_name,
    constraint_column_names
from duckdb_constraints()
where database_name = 'headlight'
    and constraint_type = 'PRIMARY KEY'
order by table_name
