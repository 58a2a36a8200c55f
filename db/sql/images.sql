-- One row per matching image, by path.
with wanted as (
    select distinct lower(word) as word
    from unnest($words::varchar[]) as asked (word)
),
hits as (
    select image_file.image_id, wanted.word
    from image_file
    join wanted on contains(lower(image_file.path), wanted.word)
    union
    select image_attribute.image_id, wanted.word
    from image_attribute
    join wanted on contains(lower(image_attribute.attribute || ': ' || image_attribute.value), wanted.word)
),
matching as (
    select image_id
    from hits
    group by image_id
    having count(*) = (select count(*) from wanted)
),
page as materialized (
    -- Attributes are put together for the images shown only: for all 50,000 they take half a second.
    select
        image.image_id,
        min(image_file.path) as path,
        count(*) as files
    from image
    join image_file using (image_id)
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
    order by path, image.image_id
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
    described.attributes
from page
join image using (image_id)
left join described using (image_id)
order by page.path, page.image_id
