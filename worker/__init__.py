"""The scheduled process: which collector runs when, one at a time per scope, then derivations."""
