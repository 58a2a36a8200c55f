"""Readers of the user's files: images, text pools, prompts, results of other tools."""
