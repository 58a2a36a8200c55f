-- One row per head of one model and attribute: loss of the attribute without the head.
select
    layer,
    head,
    'L' || layer || '.H' || head as name,
    attribute,
    forward,
    direct,
    forward_accuracy,
    direct_accuracy,
    selectivity,
    images
from head_validation
where model_key = $model_key
order by layer, head, attribute
