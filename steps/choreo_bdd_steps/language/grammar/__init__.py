"""The grammar of cells, conditions and tables: a literal, an operator, or an error with the right form."""
