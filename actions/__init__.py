"""What changes AWS, each thing planned, authorised and audited. Nothing does yet: this release only reads."""
