-- One row per attribute value: its number of images.
select
    attribute,
    value,
    count(*) as images
from image_attribute
group by attribute, value
order by attribute, images desc, value
