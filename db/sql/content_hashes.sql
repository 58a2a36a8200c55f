-- One row: hashes of the image set, of the text pool with its properties, and of all answers of language models.
select
    (
        select sha256(string_agg(image_id, chr(10) order by image_id))
        from image
    ) as images,
    (
        select sha256(string_agg(concat_ws(chr(9), text_id, property), chr(10) order by text_id, property))
        from text
        left join text_property using (text_id)
    ) as texts,
    (
        select sha256(string_agg(concat_ws(chr(9), prompt, judge, answer), chr(10) order by key))
        from (
            select *, [model_key, layer::varchar, head::varchar, task, position::varchar, judge, draw::varchar] as key
            from language_model_answer
        )
    ) as answers
