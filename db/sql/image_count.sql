-- One row: number of matching images.
with -- A term is one or more words that stand side by side in a path or in "attribute: value". Whole words alone:
-- red is not in checkered.
terms as (
    select distinct
        ' ' || trim(regexp_replace(lower(term), '[^\p{L}\p{M}\p{N}\p{S}]+', ' ', 'g')) || ' ' as term
    from unnest($words::varchar[]) as wanted (term)
),
named as (
    select
        attribute,
        value,
        ' ' || regexp_replace(
            lower(attribute || ' ' || value), '[^\p{L}\p{M}\p{N}\p{S}]+', ' ', 'g'
        ) || ' ' as words
    from (select distinct attribute, value from image_attribute)
),
paths as materialized (
    select
        image_id,
        ' ' || regexp_replace(lower(path), '[^\p{L}\p{M}\p{N}\p{S}]+', ' ', 'g') || ' ' as words
    from image_file
    where len($words::varchar[]) > 0
),
hits as (
    select paths.image_id, terms.term, null as attribute, null as value
    from paths
    join terms on contains(paths.words, terms.term)
    union
    select image_attribute.image_id, terms.term, image_attribute.attribute, image_attribute.value
    from image_attribute
    join named using (attribute, value)
    join terms on contains(named.words, terms.term)
),
matching as (
    select image_id
    from hits
    group by image_id
    having count(distinct term) = (select count(*) from terms)
)
select count(*) as images
from image
where ($image_ids is null or image.image_id in (select unnest($image_ids::varchar[])))
    and (len($words::varchar[]) = 0 or image.image_id in (from matching))
    and (
        $attribute is null
        or exists (
            from image_attribute
            where image_attribute.image_id = image.image_id
                and image_attribute.attribute = $attribute
                and ($value is null or image_attribute.value = $value)
        )
    )
