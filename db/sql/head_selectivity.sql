-- One row per head and attribute of one model, or of one head (layer and head): its selectivity.
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
