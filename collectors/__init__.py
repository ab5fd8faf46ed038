"""One module per AWS source: what is read there, mapped, and handed on in batches for the worker to keep."""
