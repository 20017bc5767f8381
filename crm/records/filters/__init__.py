"""The filter language: which records a list, an export, a saved view or a workflow means. See docs/filters.md."""
