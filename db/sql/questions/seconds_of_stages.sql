-- One row per stage: its time, summed over models.
select
    stage,
    count(*) as runs,
    sum(seconds) as seconds,
    min(started_at) as first_start
from run
group by stage
order by seconds desc, stage
