"""What leaves the house: the executed notebook, its handouts, the pages written from the record."""
