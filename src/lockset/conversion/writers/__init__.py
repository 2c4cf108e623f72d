"""Writers of requirements files and bills of materials."""
