-- Adds the labels of the attached source that are properties of no text.
insert into property by name
select *
from source.property
anti join property using (property)
