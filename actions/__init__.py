"""Stop, clean, undo, acknowledge: the only code that changes anything in AWS. Each is planned, authorised, audited, idempotent."""
