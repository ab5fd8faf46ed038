"""One file per question: filters, reads, the answer in a sentence, figures, picture, table. Layout and words only."""
