-- One row per label that one head was given, by method and number of picks, the chosen one first.
select
    method,
    picks,
    label,
    share,
    lead,
    tail,
    p_value,
    q_value,
    votes,
    draws,
    given_by,
    reason,
    chosen,
    supported
from head_label
where model_key = $model_key
    and layer = $layer
    and head = $head
order by chosen desc, method, picks
