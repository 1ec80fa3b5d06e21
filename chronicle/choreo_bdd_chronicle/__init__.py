"""Chronicle: a server that keeps the reports of many runs and says what changed between them.

Data walks one way: receive, check, store, summarise, detect, answer. The pages know only what the API answers.
"""
