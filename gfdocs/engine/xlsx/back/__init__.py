"""A returned form read by the template that wrote it."""
