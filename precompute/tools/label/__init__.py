"""Labels by language models and by people: a new bundle from one that is there.

    options -> run -> llm_client (asks) -> label_prompt, judge_prompt (read answers) -> bundle (writes)

`llm_client` is the only file that opens a socket. Imports nothing by itself: the command line stays quick.
"""
