-- One row per question to a language model about one head, labels before judgements.
select
    language_model_answer.task,
    language_model_answer.position,
    text.text,
    language_model_answer.judge,
    language_model_answer.draw,
    language_model_answer.parsed,
    language_model_answer.answer,
    language_model_answer.prompt,
    language_model_answer.options,
    language_model_answer.endpoint,
    language_model_answer.asked_at,
    language_model_answer.prompt_tokens,
    language_model_answer.answer_tokens
from language_model_answer
left join head_text
    on language_model_answer.task = 'judge'
    and head_text.model_key = language_model_answer.model_key
    and head_text.layer = language_model_answer.layer
    and head_text.head = language_model_answer.head
    and head_text.position = language_model_answer.position
left join text using (text_id)
where language_model_answer.model_key = $model_key
    and language_model_answer.layer = $layer
    and language_model_answer.head = $head
order by
    language_model_answer.task desc,
    language_model_answer.position,
    language_model_answer.judge,
    language_model_answer.draw
