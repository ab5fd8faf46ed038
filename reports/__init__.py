"""What leaves the product as data: JSON and CSV, in shapes that scripts build on."""
