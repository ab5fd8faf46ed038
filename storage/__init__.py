"""Our database: schema, engine, migrations, writers of facts and derived rows, and the views that pages read."""
