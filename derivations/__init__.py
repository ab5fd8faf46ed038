"""Keeps the derived tables in step with the facts: a little after each collection, or all of them from scratch."""
