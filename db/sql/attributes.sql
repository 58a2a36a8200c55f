-- One row per attribute and value: how many images have it.
select
    attribute,
    value,
    count(*) as images
from image_attribute
group by attribute, value
order by attribute, images desc, value
