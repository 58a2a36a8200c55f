-- One row per decomposed head of one model: layer, head and name.
select
    layer,
    head,
    'L' || layer || '.H' || head as name
from head
where model_key = $model_key
order by layer, head
