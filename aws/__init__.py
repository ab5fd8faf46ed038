"""Sessions, watched accounts, retries, error translation, and the meter of our own calls and their price."""
