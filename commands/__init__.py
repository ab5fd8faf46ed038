"""What `trainwatch` can be told to do, by subject; `cli.py` puts it together."""
