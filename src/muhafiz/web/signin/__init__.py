"""Signing in: password, second factor, passkey, another house's sign-in; and staying so."""
