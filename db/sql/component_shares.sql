-- One row per component of one model: its share of the covariance of the embedding.
select
    component,
    layer,
    head,
    kind,
    share
from component_share
where model_key = $model_key
order by layer nulls first, head nulls last, kind
