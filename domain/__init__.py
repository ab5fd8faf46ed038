"""What a job, a cost and an owner *are*: every formula of the product, with no I/O, no clock and no framework."""
