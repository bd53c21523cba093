"""The faces: what people see. Errors become pages here and nowhere below."""
