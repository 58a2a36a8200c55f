-- One row per matching image, with the number of all: first those in which one object has all that is asked for, then by path.
with -- A term is one or more words that stand side by side in a path or in "attribute: value". Whole words alone:
-- red is not in checkered.
terms as (
    select distinct
        ' ' || trim(regexp_replace(lower(word), '[^\p{L}\p{M}\p{N}\p{S}]+', ' ', 'g')) || ' ' as term
    from unnest($words::varchar[]) as wanted (word)
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
    -- A path has a term only if it has its last word: most paths need no more than this look.
    semi join terms on contains(lower(path), split_part(trim(term), ' ', -1))
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
),
-- Several values of one attribute are of different objects: which object a value belongs to is not known.
several as (
    select image_id, attribute
    from image_attribute
    where image_id in (from matching)
    group by image_id, attribute
    having count(*) > 1
),
-- Terms that the whole image does not have, with the values that have them.
apart as (
    select hits.*
    from hits
    semi join several using (image_id, attribute)
    anti join (select image_id, term from hits anti join several using (image_id, attribute)) as sure
        using (image_id, term)
),
-- One object has all of these terms if one value has.
objects as (
    select image_id, count(distinct term) = max(terms) as one_object
    from (select *, count(*) over (partition by image_id, attribute, value) as terms from apart)
    group by image_id
),
page as materialized (
    -- Attributes are put together for the images shown only: for all 50,000 they take half a second.
    select
        image.image_id,
        min(image_file.path) as path,
        count(*) as files,
        count(*) over () as matches,
        coalesce(any_value(objects.one_object), true) as one_object
    from image
    join image_file using (image_id)
    left join objects using (image_id)
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
    group by image.image_id
    order by one_object desc, path, image.image_id
    limit $limit
    offset $offset
),
described as (
    select
        image_id,
        string_agg(attribute || ': ' || value, ', ' order by attribute, value) as attributes
    from image_attribute
    where image_id in (select image_id from page)
    group by image_id
)
select
    page.image_id,
    page.path,
    page.files,
    image.width,
    image.height,
    described.attributes,
    page.one_object,
    page.matches
from page
join image using (image_id)
left join described using (image_id)
order by page.one_object desc, page.path, page.image_id
