-- One row per figure quoted from a paper.
select *
from published
order by metric, model, source
