-- Adds the metrics of the attached source that are not described yet, after all others.
insert into metric by name
select
    new.* exclude (position),
    (select coalesce(max(position), -1) from metric) + row_number() over (order by new.position) as position
from source.metric as new
anti join metric using (metric)
