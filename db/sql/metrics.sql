-- One row per metric: its definition, in the order of the pages.
select *
from metric
order by level desc, position, metric
