"""Labels by language models and by people: writes a labeled copy of a bundle.

    options -> run -> llm_client (asks) -> label_prompt, judge_prompt (read answers) -> bundle (writes)

Only `llm_client` opens a socket. Imports nothing here, so that the command line starts fast.
"""
