"""Everything about chosen jobs into a folder that needs no provider: no Textual here, the command uses it too."""
