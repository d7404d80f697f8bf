"""The rows of a filled sheet: values as cells, lists as many rows at once, heights and styles."""
