"""What leaves the product as data: the shapes of interfaces.md, as JSON and CSV."""
