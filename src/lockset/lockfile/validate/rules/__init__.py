"""The rules of validation, one module a subject."""
