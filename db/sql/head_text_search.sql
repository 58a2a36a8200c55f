-- One row per head of one model and text of its list that contains all words.
select
    head_text.layer,
    head_text.head,
    'L' || head_text.layer || '.H' || head_text.head as name,
    head_text.position,
    text.text,
    head_text.variance_share
from head_text
join text using (text_id)
where head_text.model_key = $model_key
    and not exists (
        select 1
        from (select unnest($words::varchar[]) as word)
        where not contains(lower(text.text), lower(word))
    )
order by head_text.layer, head_text.head, head_text.position
