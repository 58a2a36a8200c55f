-- One row per head of one model whose chosen label is one property, the best supported first.
select
    layer,
    head,
    name,
    importance,
    method,
    carrying_picks,
    share,
    lead,
    tail,
    p_value,
    q_value,
    supported,
    first_text
from heads_of_property
where model_key = $model_key
    and property = $property
order by q_value nulls last, p_value nulls last, tail nulls last, layer, head
