-- One row per head of one model and text of its list that contains all words, or their plurals.
with terms as (
    select ' ' || trim(regexp_replace(lower(word), '[^\p{L}\p{M}\p{N}\p{S}]+', ' ', 'g')) as term
    from unnest($words::varchar[]) as wanted (word)
),
listed as (
    select
        head_text.layer,
        head_text.head,
        head_text.position,
        text.text,
        head_text.variance_share,
        -- Whole words alone: red is not in checkered.
        ' ' || regexp_replace(lower(text.text), '[^\p{L}\p{M}\p{N}\p{S}]+', ' ', 'g') || ' ' as words
    from head_text
    join text using (text_id)
    where head_text.model_key = $model_key
)
select
    layer,
    head,
    'L' || layer || '.H' || head as name,
    position,
    text,
    variance_share
from listed
where not exists (
    from terms
    where not contains(listed.words, terms.term || ' ') and not contains(listed.words, terms.term || 's ')
)
order by layer, head, position
