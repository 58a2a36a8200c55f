-- One row per head and known attribute: how selective the head is for it; of one head where layer and head are given.
select
    layer,
    head,
    'L' || layer || '.H' || head as name,
    attribute,
    value,
    low,
    high,
    images
from head_selectivity
where model_key = $model_key
    and ($layer is null or layer = $layer)
    and ($head is null or head = $head)
order by layer, head, attribute
