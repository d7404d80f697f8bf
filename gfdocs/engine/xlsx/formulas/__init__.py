"""Formulas: found by openpyxl's tokenizer, moved with the cells they name, computed where viewers do not."""
