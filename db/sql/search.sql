-- One row per head, label, text and model whose name has the words: at most $limit of each kind, the best first.
with wanted as (
    select
        lower(trim($phrase::varchar)) as phrase,
        string_split_regex(lower(trim($phrase::varchar)), '\s+') as words,
        -- L5.H3 is found as l5h3 and as l5 too.
        regexp_replace(lower($phrase::varchar), '[^a-z0-9]', '', 'g') as name
),
heads as (
    select
        head.model_key,
        head.layer,
        head.head,
        'L' || head.layer || '.H' || head.head as title,
        head_label.label as note,
        'l' || head.layer || 'h' || head.head as name
    from head
    left join head_label
        on head_label.model_key = head.model_key
        and head_label.layer = head.layer
        and head_label.head = head.head
        and head_label.chosen
),
hits as (
    select
        'head' as kind,
        model_key,
        layer,
        head,
        title,
        note,
        heads.name = wanted.name as exact,
        model_key = $model_key as here,
        row_number() over (order by layer, head, model_key) as place
    from heads, wanted
    where regexp_full_match(wanted.name, 'l[0-9]+(h[0-9]*)?')
        and starts_with(heads.name, wanted.name)
    union all
    select
        'label',
        model_key,
        null,
        null,
        property,
        count(*) || if(count(*) = 1, ' head', ' heads'),
        lower(property) = any_value(phrase),
        true,
        row_number() over (order by count(*) desc, property)
    from property_head, wanted
    where model_key = $model_key
        and contains(lower(property), phrase)
    group by model_key, property
    union all
    select 'text', null, null, null, text, null, lower(text) = phrase, true, position
    from text, wanted
    where list_bool_and(list_transform(words, lambda word: contains(lower(text.text), word)))
    union all
    select
        'model',
        model_key,
        null,
        null,
        model,
        null,
        lower(model) = phrase,
        not is_control,
        row_number() over (order by model, model_key)
    from model, wanted
    where contains(lower(model), phrase)
)
select
    kind,
    model_key,
    layer,
    head,
    title,
    note
from hits
where $phrase <> ''
qualify row_number() over (partition by kind order by exact desc, here desc, place) <= $limit
order by array_position(['head', 'label', 'text', 'model'], kind), exact desc, here desc, place
