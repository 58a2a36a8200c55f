-- Adds the published figures of the attached source.
insert into published by name
select *
from source.published
anti join published using (model, metric, source)
