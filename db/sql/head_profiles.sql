-- One row per head of one model and property of its first texts: how many have it, and their share of variance.
select
    head_text.layer,
    head_text.head,
    text_property.property,
    count(*) filter (where head_text.position < $first) as first_texts,
    count(*) as texts,
    sum(head_text.variance_share) as share
from head_text
join text_property using (text_id)
where head_text.model_key = $model_key
    and head_text.position < $picks
group by head_text.layer, head_text.head, text_property.property
order by head_text.layer, head_text.head, text_property.property
