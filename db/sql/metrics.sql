-- One row per metric: what it means, in the order of the pages.
select *
from metric
order by level desc, position, metric
