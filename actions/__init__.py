"""Stop, clean, undo, release, acknowledge: the only code that changes anything in AWS. Each action is planned, authorised, audited, idempotent."""
