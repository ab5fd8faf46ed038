"""Rules that say which running jobs run away: one file each, pure functions from what is known of a job to a finding or nothing."""
