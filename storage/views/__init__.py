"""The views that pages, commands and reports read: each a documented question to the derived tables, never to AWS."""
