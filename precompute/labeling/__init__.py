"""Labels by language models and by people: a new bundle from one that is there.

    label_task -> relabel -> llm (asks) -> llm_labels, llm_judges (read answers) -> label_bundle (writes)

`llm` is the only file that opens a socket. Imports nothing by itself, so that the command line stays quick.
"""
