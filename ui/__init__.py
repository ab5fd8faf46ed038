"""The browser's side that pages share: the frame, cached reads, filters bound to the address, charts, tables and words."""
