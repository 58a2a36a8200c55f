-- One row per decomposed head of one model: its chosen label with the evidence, and its first texts.
select
    head.layer,
    head.head,
    'L' || head.layer || '.H' || head.head as name,
    head.rank,
    head.importance,
    head_label.label,
    head_label.method,
    head_label.picks,
    head_label.carrying_picks,
    head_label.share,
    head_label.lead,
    head_label.tail,
    head_label.p_value,
    head_label.q_value,
    head_label.votes,
    head_label.draws,
    head_label.given_by,
    head_label.supported,
    text.text as first_text,
    head_text.variance_share as first_share,
    (
        select string_agg(listed.text, '; ' order by first.position)
        from head_text as first
        join text as listed using (text_id)
        where first.model_key = head.model_key
            and first.layer = head.layer
            and first.head = head.head
            and first.position < 3
    ) as first_texts,
    (
        select count(*)
        from head_text as every
        where every.model_key = head.model_key
            and every.layer = head.layer
            and every.head = head.head
    ) as texts
from head
left join head_label
    on head_label.model_key = head.model_key
    and head_label.layer = head.layer
    and head_label.head = head.head
    and head_label.chosen
left join head_text
    on head_text.model_key = head.model_key
    and head_text.layer = head.layer
    and head_text.head = head.head
    and head_text.position = 0
left join text using (text_id)
where head.model_key = $model_key
order by head.layer, head.head
