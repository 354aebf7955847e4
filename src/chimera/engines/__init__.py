"""Model servers behind one small protocol."""
