-- One row per decomposed head of one model: where it stands and what it is called.
select
    layer,
    head,
    'L' || layer || '.H' || head as name
from head
where model_key = $model_key
order by layer, head
