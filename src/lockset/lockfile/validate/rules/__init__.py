"""The validation rules, one module per subject."""
