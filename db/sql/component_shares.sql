-- One row per component of one model: its share of the covariance of the embedding.
select
    component,
    layer,
    head,
    case
        when component = 'early' then 'early'
        when head is null then 'mlp'
        else 'head'
    end as kind,
    share
from component_share
where model_key = $model_key
order by layer nulls first, head nulls last
