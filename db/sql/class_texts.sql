-- One row per attribute value that can be asked zero-shot, in the order of the attribute.
select
    attribute,
    value,
    position,
    text
from class_text
order by attribute, position
