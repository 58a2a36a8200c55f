-- One row per image whose path or attributes match, by path.
with page as materialized (
    -- Attributes are put together for the images shown only: for all 50,000 they take half a second.
    select
        image.image_id,
        min(image_file.path) as path,
        count(*) as files
    from image
    join image_file using (image_id)
    where (
            $search is null
            or exists (
                from image_file as any_file
                where any_file.image_id = image.image_id
                    and contains(lower(any_file.path), lower($search))
            )
            or exists (
                from image_attribute
                where image_attribute.image_id = image.image_id
                    and contains(lower(image_attribute.value), lower($search))
            )
        )
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
