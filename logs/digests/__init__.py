"""Digests: derived data about closed ranges of time, for text search and counts. No Django.

`builder` makes them from the logs, and can make them again at any time. No answer needs them: ranges without
digests are read from the logs.
"""
