-- One row per label of one head, the chosen label first, then in order of priority.
select
    method,
    picks,
    carrying_picks,
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
order by chosen desc, list_position(['person', 'language_model', 'variance_share', 'enrichment'], method), method, picks
