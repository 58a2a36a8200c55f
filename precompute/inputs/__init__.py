"""Files that users bring: images, text pools, prompts, results of other tools."""
