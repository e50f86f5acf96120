"""How the pages look: colors, style sheet, HTML tables, keys to pictures."""
